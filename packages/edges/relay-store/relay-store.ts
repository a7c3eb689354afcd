import type { RelayTable } from "@qmail-mysql/control";
import { type Database, type Row, relayStatements, type Version } from "@qmail-mysql/database";
import type { RelayRow, RelayRows, RelayTableQuestions } from "@qmail-mysql/relay";
import { spellings } from "@qmail-mysql/relay";
import { formatIp, type Ip, toText } from "@qmail-mysql/wire";

/** Operations on a relay table. Each throws on trouble. */
export interface RelayStore extends RelayTableQuestions {
  /** Records a login of `user` from an address, with the current time. */
  readonly open: (ip: Ip, user?: string) => Promise<void>;
  /** Adds an address or netblock that never expires. */
  readonly openForEver: (client: string) => Promise<void>;
  readonly list: () => Promise<RelayRows>;
  /** Deletes an address in any of its forms, or a netblock as written; returns the number of rows. */
  readonly remove: (client: Ip | string) => Promise<number>;
  /** Deletes rows older than `seconds`, except those that do not expire; returns their number. */
  readonly purge: (seconds: number) => Promise<number>;
  /** A text that differs after the table has changed. */
  readonly version: () => Promise<Version>;
  readonly close: () => Promise<void>;
}

// Used instead of NULL, which a column may not allow. For a DATETIME it is a time far in the future.
const FOR_EVER = 0;
const FOR_EVER_DATETIME = "9999-12-31 00:00:00";

export function relayStoreOver(
  database: Pick<Database, "query" | "change" | "version" | "close">,
  table: RelayTable,
  driver: "mysql" | "sqlite",
): RelayStore {
  const statements = relayStatements(table, driver);
  const rows = async (found: readonly Row[]): Promise<RelayRows> => {
    const [first] = found.length > 0 ? found : await database.query(statements.now, []);
    return { rows: found.map(toRelayRow), now: Number(first?.now) };
  };
  const forEver = table.isDatetime ? FOR_EVER_DATETIME : FOR_EVER;
  return {
    rowsOf: async (ip) => {
      const found = await database.query(statements.rowsOf, spellings(ip));
      return found.length === 0 ? { rows: [], now: 0 } : rows(found);
    },
    netblockRows: async () => rows(await database.query(statements.netblockRows, [])),
    list: async () => rows(await database.query(statements.list, [])),
    open: async (ip, user = "") => {
      const client = formatIp(ip);
      const text = toText(user) ?? "";
      await database.change(statements.open, table.user === undefined ? [client] : [client, text, text]);
    },
    openForEver: async (client) => {
      await database.change(statements.openForEver, [client, forEver, forEver]);
    },
    remove: (client) =>
      database.change(
        statements.remove,
        typeof client === "string" ? [client, client, client] : spellings(client),
      ),
    purge: (seconds) => database.change(statements.purge, [seconds]),
    version: () => database.version([table.table]),
    close: () => database.close(),
  };
}

/** An invalid time never opens the relay, and does not make the other rows fail. */
function toRelayRow(row: Row): RelayRow {
  const time = row.time ?? "";
  const seconds = /^-?\d+(?:\.\d+)?$/.test(time) ? Number(time) : -Infinity;
  return {
    client: row.client ?? "",
    time: row.permanent === "1" ? undefined : seconds,
    user: row.user || undefined,
  };
}
