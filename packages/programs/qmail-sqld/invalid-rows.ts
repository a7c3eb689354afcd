import { type Row, toAliasRow, toMailbox, toVirtualRow } from "@qmail-mysql/database";
import { aliasInstruction } from "@qmail-mysql/dotqmail";
import { chooseAliases, chooseVirtual } from "@qmail-mysql/routing";
import { lower } from "@qmail-mysql/wire";

/**
 * Why the program that asked will defer the mail, by the rows that are the answer: what qmail/MySQL logs as "MySQL
 * misconfiguration". The program's own decisions, since qmail-lspawn leaves it no descriptor to log to.
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
        // The second alias asked for is the extension with its host.
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
