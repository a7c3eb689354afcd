import { readWhole } from "@qmail-mysql/native";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

/** The path in line 1 of control/sqld, relative to the qmail home directory; undefined without this file. */
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
