import { readWhole } from "@qmail-mysql/native";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

/** Line 1 of control/sqld, a relative path being below the qmail home; undefined when there is no such file. */
export function sqldPath(qmailHome: string): string | undefined {
  const file = `${qmailHome}/control/sqld`;
  let text: string;
  try {
    text = readWhole(file);
  } catch (error) {
    if (errno(error) === "ENOENT") return undefined;
    throw new Trouble(`unable to read ${file}: ${reason(error)}`);
  }
  const path = text.slice(0, text.includes("\n") ? text.indexOf("\n") : undefined).trim();
  if (path === "")
    throw new Trouble(`unable to use ${file}: line 1: expected the path of qmail-sqld's socket`);
  return path.startsWith("/") ? path : `${qmailHome}/${path}`;
}
