import type { InvalidMailbox, Login, Mailbox } from "@qmail-mysql/accounts";
import type { AliasRow, VirtualRow } from "@qmail-mysql/routing";
import { Trouble } from "@qmail-mysql/trouble";
import type { Question } from "./questions.ts";
import type { Row } from "./row.ts";

const MAILBOX = ["username", "uid", "gid", "home", "suspended"] as const;
const ALIAS = ["username", "alias", "alias_username", "alias_host"] as const;
const VIRTUAL = ["username", "ext", "virtual_username", "virtual_host"] as const;

/** The columns of the rows, independent of their names in the tables. */
export const columns = {
  findMailboxes: MAILBOX,
  findLogin: [...MAILBOX, "password", "password_type"],
  decoy: ["password", "password_type"],
  findAliases: ALIAS,
  findAliasRows: [...ALIAS, "position"],
  findVirtual: VIRTUAL,
  findVirtualHosts: ["virtual_host"],
  findFunkyVirtual: VIRTUAL,
  findFunkyHosts: ["virtual_host"],
} as const satisfies Record<Question, readonly string[]>;

/** Maximum number of rows of one statement; more are trouble, since some of them would be missing. */
export const ROWS = 10_000;

export function toAliasRow(row: Row): AliasRow {
  return {
    username: row.username ?? "",
    alias: row.alias ?? "",
    aliasUsername: row.alias_username ?? "",
    aliasHost: row.alias_host ?? "",
    position: row.position,
  };
}

export function toVirtualRow(row: Row): VirtualRow {
  return {
    username: row.username ?? "",
    ext: row.ext ?? "",
    virtualUsername: row.virtual_username ?? "",
    virtualHost: row.virtual_host ?? "",
  };
}

/** The row, or why it is invalid. */
export function toAnyMailbox(row: Row): Mailbox | InvalidMailbox {
  try {
    return toMailbox(row);
  } catch (error) {
    if (error instanceof Trouble) return { username: row.username ?? "", wrong: error.message };
    throw error;
  }
}

/** Throws Trouble for an invalid row: it is not treated as absent, and mail is deferred until it is corrected. */
export function toMailbox(row: Row): Mailbox {
  const username = row.username ?? "";
  const wrong = (column: string, expected: string): never => {
    throw new Trouble(`MySQL misconfiguration: mailbox row "${username}": ${column}: expected ${expected}`);
  };
  const id = (column: string): number => {
    const value = row[column] ?? "";
    return /^\d{1,10}$/.test(value) && Number(value) < 2 ** 32 - 1
      ? Number(value)
      : wrong(column, "a number below 4294967295");
  };
  const home = row.home ?? "";
  if (!home.startsWith("/") || /[\0\n]/.test(home)) wrong("home", "an absolute path");
  if (/[\0\n]/.test(username)) wrong("username", "no line end");
  return {
    username,
    uid: id("uid"),
    gid: id("gid"),
    home,
    suspended: isSuspended(row.suspended ?? "") ?? wrong("suspended", "Y or N"),
  };
}

/** Undefined for any other value, which may have been meant as Y. */
function isSuspended(value: string): boolean | undefined {
  if (/^y(es)?$/i.test(value)) return true;
  return /^(no?|0)?$/i.test(value) ? false : undefined;
}

export function toLogin(row: Row): Login {
  return { ...toMailbox(row), password: row.password ?? "", passwordType: row.password_type ?? "" };
}
