import type { FindMailboxes, Login } from "@qmail-mysql/accounts";
import {
  type Database,
  type Row,
  toAliasRow,
  toAnyMailbox,
  toLogin,
  toVirtualRow,
} from "@qmail-mysql/database";
import { isLocked } from "@qmail-mysql/password/locked";
import { type FindAliases, type FindVirtual, type FindVirtualHosts, like } from "@qmail-mysql/routing";
import { lower, toText } from "@qmail-mysql/wire";

/** The lookups of the programs. Each returns what it found, or nothing if there is none, and throws on trouble. */
export interface Store {
  readonly findMailboxes: FindMailboxes;
  readonly findLogin: (name: string) => Promise<Login | undefined>;
  /** One of the first passwords in the table that is not locked, to compare with if the login does not exist. */
  readonly decoy: () => Promise<Pick<Login, "password" | "passwordType"> | undefined>;
  readonly findAliases: FindAliases;
  readonly findVirtual: FindVirtual;
  readonly findVirtualHosts: FindVirtualHosts;
  readonly close: () => Promise<void>;
}

/** The lookups over a database; `funkyQueries` is the setting of control/sqlserver. */
export function storeOver({ ask, close }: Pick<Database, "ask" | "close">, funkyQueries: boolean): Store {
  return {
    findMailboxes: async (names) => only(await ask("findMailboxes", inText(names)), names).map(toAnyMailbox),
    findLogin: async (name) => {
      const text = toText(name);
      if (text === undefined) return undefined;
      return only(await ask("findLogin", [text]), [name]).map(toLogin)[0];
    },
    decoy: async () => {
      return (await ask("decoy", []))
        .map((row) => ({ password: row.password ?? "", passwordType: row.password_type ?? "" }))
        .find(({ password, passwordType }) => !isLocked(password, passwordType));
    },
    findAliases: async (username, aliases) => {
      const name = toText(username);
      if (name === undefined) return [];
      // Only exact matches: the collation may consider others equal.
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

/** The names that are valid UTF-8; others cannot be in a table. */
function inText(names: readonly string[]): string[] {
  return names.map(toText).filter((text) => text !== undefined);
}

/** The rows with exactly these names; the collation may consider others equal (jose = josé, "joe " = joe). */
function only(rows: readonly Row[], names: readonly string[]): Row[] {
  return rows.filter((row) => names.includes(lower(row.username ?? "")));
}
