import { ControlError, keyValues, type Setting } from "./key-value.ts";

/** Where one database server listens. */
export type Server =
  | { readonly socket: string }
  | { readonly host: string; readonly port: number | undefined };

/** The name of a server in messages. */
export function serverName(server: Server): string {
  if ("socket" in server) return server.socket;
  return server.port === undefined ? server.host : `${server.host}:${server.port}`;
}

export type Tls = { readonly verify: "system" } | { readonly caFile: string };

/** The settings of control/sqlserver: sqlserver(5). */
export interface SqlServer {
  readonly driver: "mysql" | "sqlite";
  /** In order of preference. */
  readonly servers: readonly Server[];
  readonly login: string | undefined;
  readonly password: string | undefined;
  /** The name of the database; with sqlite its file. */
  readonly db: string;
  /** Seconds after which a question fails. */
  readonly timeout: number;
  readonly tls: Tls | undefined;
  /** Names or uids of the accounts, besides root, that may listen on the server's unix socket; "mysql" by default. */
  readonly serverAccounts?: readonly string[] | undefined;
  readonly homeMismatch: "alias" | "defer";
  readonly suspendedMail: "deliver" | "defer" | "bounce";
  readonly funkyQueries: boolean;
  readonly magicForwarding: boolean;
  /** Does checkpassword open the relay for the client of a login? */
  readonly relay: boolean;
  readonly warnings: readonly string[];
}

/** What is needed to open a database, from control/sqlserver or control/sql. */
export type DatabaseAddress = Pick<
  SqlServer,
  "driver" | "servers" | "login" | "password" | "db" | "timeout" | "tls" | "serverAccounts"
>;

/** The settings that do not concern the connection to the database. */
export type SiteSettings = Pick<
  SqlServer,
  "timeout" | "homeMismatch" | "suspendedMail" | "funkyQueries" | "magicForwarding" | "relay"
>;

/** Keys that do not concern the database or its account; their values are not secret. */
const PUBLIC_KEYS = [
  "timeout",
  "home_mismatch",
  "suspended_mail",
  "funky_queries",
  "magic_forwarding",
  "relay",
];

const DEFAULT_TIMEOUT = 5; // seconds; qmail-popup's is 1200, a server usually takes 0.001
const DEFAULT_PORT = 3306;

const ALIASES: Readonly<Record<string, string>> = {
  host: "server",
  user: "login",
  pass: "password",
  database: "db",
};
const KEYS: readonly string[] = [
  "server",
  "port",
  "login",
  "password",
  "db",
  "driver",
  "tls",
  "server_account",
  ...PUBLIC_KEYS,
];

type Last = ReadonlyMap<string, Setting>;

/** Reads the text of control/sqlserver. Throws ControlError with file, line and what was expected. */
export function parseSqlServer(text: string, file: string): SqlServer {
  const warnings: string[] = [];
  const last = new Map<string, Setting>();
  const serverLines: Setting[] = [];
  for (const setting of keyValues(text, file)) {
    const key = ALIASES[setting.key] ?? setting.key;
    if (!KEYS.includes(key)) warnings.push(`${file} line ${setting.line}: unknown key${quoted(setting.key)}`);
    else if (key === "server") serverLines.push(setting);
    else last.set(key, setting);
  }

  const wrong = wrongIn(file);
  const required = (key: string, why: string): string => {
    const setting = last.get(key);
    if (!setting) throw new ControlError(`${file}: no "${key}" line: expected ${why}`);
    return setting.value === "" ? wrong(setting, why) : setting.value;
  };

  const driver = choice(last.get("driver"), ["mysql", "sqlite"], wrong) ?? "mysql";
  const port = whole(last.get("port"), 65535, wrong);
  const tls = last.get("tls");
  return {
    driver,
    servers: serverLines.length === 0 ? [server("localhost", port)] : servers(serverLines, port, wrong),
    login: driver === "mysql" ? required("login", "the database user") : last.get("login")?.value,
    password: last.get("password")?.value,
    db: required("db", driver === "mysql" ? "the database's name" : "the database's file"),
    tls: tls && parseTls(tls, wrong),
    serverAccounts: parseServerAccounts(last.get("server_account"), wrong),
    ...siteSettings(last, wrong),
    warnings,
  };
}

function siteSettings(last: Last, wrong: Wrong): SiteSettings {
  return {
    timeout: whole(last.get("timeout"), 3600, wrong) ?? DEFAULT_TIMEOUT,
    homeMismatch: choice(last.get("home_mismatch"), ["alias", "defer"], wrong) ?? "defer",
    suspendedMail: choice(last.get("suspended_mail"), ["deliver", "defer", "bounce"], wrong) ?? "deliver",
    funkyQueries: choice(last.get("funky_queries"), ["yes", "no"], wrong) === "yes",
    magicForwarding: choice(last.get("magic_forwarding"), ["yes", "no"], wrong) === "yes",
    relay: choice(last.get("relay"), ["yes", "no"], wrong) === "yes",
  };
}

const wrongIn =
  (file: string): Wrong =>
  (setting, expected) => {
    throw new ControlError(`${file} line ${setting.line}: ${setting.key}: expected ${expected}`);
  };

function choice<T extends string>(
  setting: Setting | undefined,
  allowed: readonly T[],
  wrong: Wrong,
): T | undefined {
  if (!setting) return undefined;
  return allowed.find((word) => word === setting.value.toLowerCase()) ?? wrong(setting, allowed.join(" or "));
}

function whole(setting: Setting | undefined, max: number, wrong: Wrong): number | undefined {
  if (!setting) return undefined;
  const value = Number(setting.value);
  return /^\d+$/.test(setting.value) && value > 0 && value <= max
    ? value
    : wrong(setting, `a whole number from 1 to ${max}`);
}

/** A key for a message, or nothing if it does not look like one: it may be part of a password. */
export function quoted(key: string): string {
  return /^[a-z][a-z0-9_-]{0,31}$/.test(key) ? ` "${key}"` : "";
}

/** The lines of control/sqlserver that hold SiteSettings, for programs that must not read the file. */
export function publicLines(text: string, file: string): string[] {
  return keyValues(text, file)
    .filter(({ key }) => PUBLIC_KEYS.includes(key))
    .map(({ key, value }) => `${key} ${value}`);
}

/** SiteSettings from such lines. Throws ControlError. */
export function parsePublicLines(lines: readonly string[], file: string): SiteSettings {
  const last = new Map<string, Setting>();
  lines.forEach((text, index) => {
    const end = text.indexOf(" ");
    const key = text.slice(0, Math.max(end, 0));
    last.set(key, { key, value: text.slice(end + 1), line: index + 1 });
  });
  return siteSettings(last, wrongIn(file));
}

export type Wrong = (setting: Setting, expected: string) => never;

/** Several names on a line, or several lines, make a failover list. */
export function servers(lines: readonly Setting[], port: number | undefined, wrong: Wrong): Server[] {
  return lines.flatMap((setting) => {
    const words = setting.value.split(/[\s,]+/).filter((word) => word !== "");
    if (words.length === 0) wrong(setting, "a host, host:port or a socket's path");
    return words.map((word) => parseServer(word, port, setting, wrong));
  });
}

function parseServer(word: string, port: number | undefined, setting: Setting, wrong: Wrong): Server {
  if (word.startsWith("/")) return { socket: word };
  // db1, db1:3307, [2001:db8::1]:3306; a bare IPv6 address has more than one colon and no port.
  const match =
    /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(word) ?? /^((?=.*:.*:)[0-9a-f:.]+(?:%\w+)?)$/i.exec(word);
  const own = match?.[3] === undefined ? undefined : Number(match[3]);
  if (!match || own === 0 || (own ?? 0) > 65535) wrong(setting, "a host, host:port or a socket's path");
  return server(match?.[1] ?? match?.[2] ?? word, own ?? port);
}

/** "localhost" is the local socket, as in MySQL's C library: existing control files depend on it. */
export function server(host: string, port: number | undefined): Server {
  const isLocal = host.toLowerCase() === "localhost" && (port ?? DEFAULT_PORT) === DEFAULT_PORT;
  return { host, port: isLocal ? undefined : (port ?? DEFAULT_PORT) };
}

export function parseTls(setting: Setting, wrong: Wrong): Tls | undefined {
  const word = setting.value.toLowerCase();
  if (word === "no") return undefined;
  if (word === "yes") return { verify: "system" };
  return setting.value.startsWith("/")
    ? { caFile: setting.value }
    : wrong(setting, "yes, no or a CA file's absolute path");
}

/** Names or uids: outside of a container its accounts have no names. */
export function parseServerAccounts(
  setting: Setting | undefined,
  wrong: Wrong,
): readonly string[] | undefined {
  if (!setting) return undefined;
  const words = setting.value.split(/[\s,]+/).filter((word) => word !== "");
  return words.length === 0 || words.some((word) => !/^(\d{1,10}|[^:/]{1,255})$/.test(word))
    ? wrong(setting, "names or uids of accounts")
    : words;
}
