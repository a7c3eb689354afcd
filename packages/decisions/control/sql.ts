import { ControlError, keyValues, type Setting } from "./key-value.ts";
import { type DatabaseAddress, parseServerAccounts, parseTls, quoted, server, servers } from "./sqlserver.ts";

/** A relay table and its columns: of vpopmail, Dovecot's popbsmtp, or named by the administrator. */
export interface RelayTable {
  readonly table: string;
  readonly ip: string;
  readonly time: string;
  /** The column with the user that logged in; undefined if the table has none. */
  readonly user: string | undefined;
  /** Is the time column a DATETIME, and not seconds since 1970? */
  readonly isDatetime: boolean;
}

/** db/base's notify_email and notify_from. */
export interface Notify {
  readonly to: string;
  readonly from: string;
}

/** The settings of control/sql: sql(5). */
export interface RelaySql {
  /** Undefined if the file names none: the table is in the database of control/sqlserver. */
  readonly database: DatabaseAddress | undefined;
  readonly table: RelayTable;
  /** Seconds for which a login opens the relay. */
  readonly time: number;
  /** Seconds that a client may have to wait for the database. */
  readonly timeout: number;
  /** What relay-check does without its database. */
  readonly trouble: "serve" | "defer";
  /** Addresses and netblocks that are never recorded. */
  readonly local: readonly string[];
  /** Who gets a mail when the database cannot be asked. */
  readonly notify: Notify | undefined;
  readonly warnings: readonly string[];
}

const DEFAULT_TIME = 60 * 30; // seconds: db/relay's default, and the patch's sample file
const MAX_TIME = 10 * 366 * 86_400;
const DEFAULT_TIMEOUT = 0.5; // seconds that an SMTP client may have to wait for its greeting
const MAX_TIMEOUT = 60;
const DEFAULT_LOCAL = ["127.", "::1"];
const ADDRESS = /^[!-~]{1,254}$/; // qmail-inject(8) adds the host to a name without one
const NAME_MAX = 64; // MySQL: identifiers

// The names of control/sqlserver, of the ucspi-tcp patch and of db/relay and db/base.
const ALIASES: Readonly<Record<string, string>> = {
  host: "server",
  login: "user",
  password: "pass",
  passwd: "pass",
  db: "database",
  relay_table: "table",
  relay_pending: "time",
};
const KEYS = new Set([
  "server",
  "port",
  "database",
  "table",
  "user",
  "pass",
  "time",
  "driver",
  "tls",
  "server_account",
  "timeout",
  "relay_ip",
  "relay_time",
  "relay_user",
  "time_type",
  "trouble",
  "local",
  "notify_email",
  "notify_from",
]);

/** Keys that name a database; without any of them it is the one of control/sqlserver. */
const DATABASE_KEYS = ["server", "port", "database", "user", "pass", "driver", "tls"];

/** Reads the text of control/sql. Throws ControlError with file, line and what was expected. */
export function parseSql(text: string, file: string): RelaySql {
  const warnings: string[] = [];
  const last = new Map<string, Setting>();
  const serverLines: Setting[] = [];
  const localLines: Setting[] = [];
  for (const setting of keyValues(text, file)) {
    const key = ALIASES[setting.key] ?? setting.key;
    // The patch ends a line at any #, but a password may contain one.
    const value = key === "pass" ? setting.value : setting.value.replace(/(^|\s)#.*$/, "").trimEnd();
    const own = { ...setting, value };
    if (!KEYS.has(key)) warnings.push(`${file} line ${setting.line}: unknown key${quoted(setting.key)}`);
    else if (key === "server") serverLines.push(own);
    else if (key === "local") localLines.push(own);
    else last.set(key, own);
  }

  const wrong = (setting: Setting, expected: string): never => {
    throw new ControlError(`${file} line ${setting.line}: ${setting.key}: expected ${expected}`);
  };
  const read = <T>(
    key: string,
    fallback: T,
    expected: string,
    parse: (value: string) => T | undefined,
  ): T => {
    const setting = last.get(key);
    return setting ? (parse(setting.value) ?? wrong(setting, expected)) : fallback;
  };
  const choice = <T extends string>(key: string, allowed: readonly T[], fallback: T): T =>
    read(key, fallback, allowed.join(" or "), (value) =>
      allowed.find((word) => word === value.toLowerCase()),
    );
  const column = (key: string, fallback: string): string =>
    read(key, fallback, "a name of letters, digits, _ and $", identifier);
  const required = (key: string, expected: string): string => {
    if (!last.has(key)) throw new ControlError(`${file}: no "${key}" line: expected ${expected}`);
    return read(key, "", expected, (value) => value || undefined);
  };

  const timeout = read("timeout", DEFAULT_TIMEOUT, `seconds, as 0.5, from 0.01 to ${MAX_TIMEOUT}`, (value) =>
    /^\d{1,2}(?:\.\d{1,3})?$/.test(value) && Number(value) >= 0.01 && Number(value) <= MAX_TIMEOUT
      ? Number(value)
      : undefined,
  );
  const database = (): DatabaseAddress => {
    const driver = choice("driver", ["mysql", "sqlite"], "mysql");
    const tls = last.get("tls");
    return {
      driver,
      servers: serverLines.length === 0 ? [server("localhost", port)] : servers(serverLines, port, wrong),
      login: driver === "mysql" ? required("user", "the database user") : undefined,
      password: last.get("pass")?.value,
      db: required("database", driver === "mysql" ? "the database's name" : "the database's file"),
      timeout,
      tls: tls && parseTls(tls, wrong),
      serverAccounts: parseServerAccounts(last.get("server_account"), wrong),
    };
  };
  const port = read<number | undefined>("port", undefined, "a whole number from 1 to 65535", (value) =>
    /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65535 ? Number(value) : undefined,
  );
  const namesDatabase = serverLines.length > 0 || DATABASE_KEYS.some((key) => last.has(key));
  const address = (key: string, fallback: string): string =>
    read(key, fallback, "one address", (value) => (ADDRESS.test(value) ? value : undefined));
  const [to, from] = [address("notify_email", ""), address("notify_from", "postmaster")];
  const table = column("table", "relay");
  const isPopbsmtp = table.toLowerCase() === "popbsmtp";
  const timeColumn = column("relay_time", isPopbsmtp ? "login_time" : "timestamp");
  const usual = timeColumn.toLowerCase() === "login_time" ? "datetime" : "unixtime";
  return {
    database: namesDatabase ? database() : undefined,
    table: {
      table,
      ip: column("relay_ip", isPopbsmtp ? "ip" : "ip_addr"),
      time: timeColumn,
      user: read<string | undefined>("relay_user", undefined, "a column's name", identifier),
      isDatetime: choice("time_type", ["unixtime", "datetime"], usual) === "datetime",
    },
    time: read("time", DEFAULT_TIME, "seconds, or a product of numbers above 0, as 60 * 30", product),
    timeout,
    trouble: choice("trouble", ["serve", "defer"], "serve"),
    local: localLines.length === 0 ? DEFAULT_LOCAL : localLines.flatMap(localWords),
    notify: to === "" ? undefined : { to, from },
    warnings,
  };
}

/** The name of a column or table. It becomes part of a statement, so only plain names are valid. */
function identifier(value: string): string | undefined {
  return /^[A-Za-z_][\w$]*$/.test(value) && value.length <= NAME_MAX ? value : undefined;
}

/** db/relay's `seconds [ * minutes [ * hours [ * days ]]]`, every factor a whole number above 0. */
function product(value: string): number | undefined {
  if (!/^\d{1,9}(?:\s*\*\s*\d{1,9}){0,3}$/.test(value)) return undefined;
  const seconds = value.split("*").reduce((total, factor) => total * Number(factor), 1);
  return seconds > 0 && seconds <= MAX_TIME ? seconds : undefined;
}

function localWords(setting: Setting): string[] {
  return setting.value.split(/[\s,]+/).filter((word) => word !== "");
}
