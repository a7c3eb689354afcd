import { type Row, toAliasRow, toMailbox, toVirtualRow } from "@qmail-mysql/database";
import { aliasInstruction } from "@qmail-mysql/dotqmail";
import { chooseAliases, chooseVirtual } from "@qmail-mysql/routing";
import { lower } from "@qmail-mysql/wire";

/**
 * Returns why the client will defer mail after receiving `rows`: what qmail/MySQL logs as "MySQL misconfiguration".
 * Makes the same decisions as the client, since qmail-lspawn leaves a client no descriptor for its log.
 */
export function invalidRow(
  question: string,
  values: readonly string[],
  rows: readonly Row[],
  funkyQueries: boolean,
): string | undefined {
  const [first = "", second = "", third = ""] = values;
  try {
    switch (question) {
      case "findMailboxes":
        for (const row of rows) if (values.includes(lower(row.username ?? ""))) toMailbox(row);
        break;
      case "findVirtual":
      case "findFunkyVirtual":
        chooseVirtual(rows.map(toVirtualRow), second, first, funkyQueries);
        break;
      case "findAliases":
      case "findAliasRows": {
        // The second alias of the question is the extension followed by @ and the host.
        const host = third.startsWith(`${second}@`) ? third.slice(second.length + 1) : "";
        const own = rows.map(toAliasRow).filter((row) => lower(row.username) === first);
        chooseAliases(own, second, host).forEach(aliasInstruction);
        break;
      }
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return undefined;
}
