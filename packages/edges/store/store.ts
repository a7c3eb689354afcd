import type { FindMailboxes, InvalidMailbox, Login, Mailbox } from "@qmail-mysql/accounts";
import type { Database, Row } from "@qmail-mysql/database";
import {
  type AliasRow,
  type FindAliases,
  type FindVirtual,
  type FindVirtualHosts,
  like,
  type VirtualRow,
} from "@qmail-mysql/routing";
import { Trouble } from "@qmail-mysql/trouble";
import { lower, toText } from "@qmail-mysql/wire";

/** The questions the programs ask. Each answers found or surely none, and throws on trouble. */
export interface Store {
  readonly findMailboxes: FindMailboxes;
  readonly findLogin: (name: string) => Promise<Login | undefined>;
  /** The first password in the table, for a stranger's login to be compared with. */
  readonly decoy: () => Promise<Pick<Login, "password" | "passwordType"> | undefined>;
  readonly findAliases: FindAliases;
  readonly findVirtual: FindVirtual;
  readonly findVirtualHosts: FindVirtualHosts;
  readonly close: () => Promise<void>;
}

/** The questions over a database; `funkyQueries` as control/sqlserver says. */
export function storeOver({ ask, close }: Pick<Database, "ask" | "close">, funkyQueries: boolean): Store {
  return {
    findMailboxes: async (names) => only(await ask("findMailboxes", inText(names)), names).map(toAnyMailbox),
    findLogin: async (name) => {
      const text = toText(name);
      if (text === undefined) return undefined;
      return only(await ask("findLogin", [text]), [name]).map(toLogin)[0];
    },
    decoy: async () => {
      const [row] = await ask("decoy", []);
      return row && { password: row.password ?? "", passwordType: row.password_type ?? "" };
    },
    findAliases: async (username, aliases) => {
      const name = toText(username);
      if (name === undefined) return [];
      // The very ones asked for, whatever the collation takes for them.
      return (await ask("findAliasRows", [name, ...inText(aliases)]))
        .map(toAliasRow)
        .filter((row) => lower(row.username) === username && aliases.includes(lower(row.alias)));
    },
    findVirtual: async (local, host) => {
      const [localText, hostText] = [toText(local), toText(host)];
      if (localText === undefined || hostText === undefined) return [];
      const rows = await ask(funkyQueries ? "findFunkyVirtual" : "findVirtual", [hostText, localText]);
      return rows.map(toVirtualRow);
    },
    findVirtualHosts: async (hosts) => {
      const rows = await ask(funkyQueries ? "findFunkyHosts" : "findVirtualHosts", inText(hosts));
      const known = rows.map((row) => lower(row.virtual_host ?? ""));
      return hosts.flatMap((host) => {
        const exact = known.includes(host);
        return exact || (funkyQueries && known.some((one) => like(host, one))) ? [{ host, exact }] : [];
      });
    },
    close,
  };
}

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

/** Those names that are UTF-8: the others are in no table. */
function inText(names: readonly string[]): string[] {
  return names.map(toText).filter((text) => text !== undefined);
}

/** A database compares as its collation likes (jose = josé, "joe " = joe): only the very names asked for count. */
function only(rows: readonly Row[], names: readonly string[]): Row[] {
  const asked = new Set(names);
  return rows.filter((row) => asked.has(lower(row.username ?? "")));
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

/** Throws Trouble for an invalid row, which is not an absent one: somebody will mend it, and the mail waits. */
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

/** Undefined for what says neither: whoever wrote it may well have meant Y. */
function isSuspended(value: string): boolean | undefined {
  if (/^y(es)?$/i.test(value)) return true;
  return /^(no?|0)?$/i.test(value) ? false : undefined;
}

function toLogin(row: Row): Login {
  return { ...toMailbox(row), password: row.password ?? "", passwordType: row.password_type ?? "" };
}
