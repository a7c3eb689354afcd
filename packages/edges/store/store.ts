import type { FindMailboxes, Login } from "@qmail-mysql/accounts";
import {
  type Database,
  type Row,
  toAliasRow,
  toAnyMailbox,
  toLogin,
  toVirtualRow,
} from "@qmail-mysql/database";
import { type FindAliases, type FindVirtual, type FindVirtualHosts, like } from "@qmail-mysql/routing";
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

/** Those names that are UTF-8: the others are in no table. */
function inText(names: readonly string[]): string[] {
  return names.map(toText).filter((text) => text !== undefined);
}

/** A database compares as its collation likes (jose = josé, "joe " = joe): only the very names asked for count. */
function only(rows: readonly Row[], names: readonly string[]): Row[] {
  const asked = new Set(names);
  return rows.filter((row) => asked.has(lower(row.username ?? "")));
}
