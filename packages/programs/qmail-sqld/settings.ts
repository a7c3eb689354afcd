import { availableParallelism } from "node:os";
import { ControlError, keyValues } from "@qmail-mysql/control";
import { parseClient } from "@qmail-mysql/relay";

/** The settings of control/sqld-settings: qmail-sqld(8). Times are seconds. */
export interface Settings {
  /** Maximum number of connections to the database. */
  readonly connections: number;
  /** Maximum number of clients connected to the socket. */
  readonly clients: number;
  /** Size of the cache in megabytes. */
  readonly cache: number;
  readonly ttl: number;
  readonly negativeTtl: number;
  /** Maximum age of an answer that is given because the database does not respond. */
  readonly stale: number;
  /** `ttl` and `stale` for the rows that logins are checked with. */
  readonly loginTtl: number;
  readonly loginStale: number;
  /** Processes that compute password hashes, and how many logins may wait for one. */
  readonly hashers: number;
  readonly hashQueue: number;
  /** Who, like root, is trusted to give the client's address and the verdicts about system accounts. */
  readonly loginCallers: Callers;
  /** Addresses of many users, whose failed logins are not counted together. */
  readonly loginShared: readonly string[];
  /** Which attempts to log in are logged. */
  readonly loginLog: "all" | "failures" | "none";
  /** Who may record logins for POP before SMTP, beside root and the account of qmail-sqld. */
  readonly recorders: Recorders;
  /** Maximum number of addresses for which a mailbox's own uid may open the relay at a time. */
  readonly relayAddresses: number;
  /** The mode of the socket. */
  readonly socketMode: number;
}

export interface Callers {
  readonly uids: readonly number[];
  /** Names of system accounts. */
  readonly names: readonly string[];
}

export interface Recorders {
  readonly uids: readonly number[];
  /** A mailbox's own uid may record logins of that mailbox. */
  readonly owner: boolean;
}

// key: default, minimum, maximum
const NUMBERS = {
  connections: [4, 1, 64],
  clients: [1000, 1, 60_000],
  cache: [16, 0, 4096],
  ttl: [60, 0, 86_400],
  negative_ttl: [5, 0, 86_400],
  stale: [3600, 0, 7 * 86_400],
  login_ttl: [60, 0, 86_400],
  login_stale: [0, 0, 7 * 86_400],
  hashers: [Math.max(1, availableParallelism() - 1), 1, 64], // one processor is left for the lookups
  hash_queue: [1000, 1, 60_000], // as `clients`, each of which may wait for a login
  relay_addresses: [100, 1, 10_000],
} as const;

const RECORDERS: Recorders = { uids: [], owner: true };
const MAX_UIDS = 64;
const CALLERS: Callers = { uids: [], names: ["qmaild"] }; // the account of qmail-smtpd: conf-users of qmail
const SHARED = ["127.0.0.1", "::1"]; // webmail on this host
const SOCKET_MODE = 0o666; // access is controlled by the directory of the socket

/** Parses control/sqld-settings. Throws ControlError with file, line and what was expected. */
export function parseSettings(text: string, file: string): Settings {
  const values = new Map<string, number>();
  let recorders = RECORDERS;
  let loginCallers = CALLERS;
  let loginShared: readonly string[] = SHARED;
  let loginLog: Settings["loginLog"] = "all";
  for (const { key, value, line } of keyValues(text, file)) {
    const wrong = (expected: string) =>
      new ControlError(`${file} line ${line}: ${key}: expected ${expected}`);
    if (key === "socket_mode") {
      if (!/^0?[0-7]{3}$/.test(value)) throw wrong("an octal mode like 0660");
      values.set(key, Number.parseInt(value, 8));
      continue;
    }
    if (key === "login_log") {
      if (value !== "all" && value !== "failures" && value !== "none") throw wrong("all, failures or none");
      loginLog = value;
      continue;
    }
    if (key === "login_callers") {
      const parsed = parseCallers(value);
      if (!parsed) throw wrong(`root, or uids and accounts, ${MAX_UIDS} at most`);
      loginCallers = parsed;
      continue;
    }
    if (key === "login_shared") {
      const parsed = parseShared(value);
      if (!parsed) throw wrong("addresses and networks such as 10.1.0.0/16, or none");
      loginShared = parsed;
      continue;
    }
    if (key === "relay_recorders") {
      const parsed = parseRecorders(value);
      if (!parsed) throw wrong(`root, or uids and "owner", ${MAX_UIDS} at most`);
      recorders = parsed;
      continue;
    }
    const range = Object.hasOwn(NUMBERS, key) ? NUMBERS[key as keyof typeof NUMBERS] : undefined;
    if (!range) throw new ControlError(`${file} line ${line}: unknown key`);
    const [, least, most] = range;
    if (!/^\d{1,9}$/.test(value) || Number(value) < least || Number(value) > most) {
      throw wrong(`a whole number from ${least} to ${most}`);
    }
    values.set(key, Number(value));
  }
  const number = (key: keyof typeof NUMBERS) => values.get(key) ?? NUMBERS[key][0];
  return {
    connections: number("connections"),
    clients: number("clients"),
    cache: number("cache"),
    ttl: number("ttl"),
    negativeTtl: number("negative_ttl"),
    stale: number("stale"),
    loginTtl: number("login_ttl"),
    loginStale: number("login_stale"),
    hashers: number("hashers"),
    hashQueue: number("hash_queue"),
    loginCallers,
    loginShared,
    loginLog,
    recorders,
    relayAddresses: number("relay_addresses"),
    socketMode: values.get("socket_mode") ?? SOCKET_MODE,
  };
}

const wordsOf = (value: string) => value.split(/[ \t,]+/).filter((word) => word !== "");

function parseCallers(value: string): Callers | undefined {
  const words = wordsOf(value);
  const uids = words.filter((word) => /^\d{1,10}$/.test(word)).map(Number);
  const names = words.filter((word) => /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/.test(word));
  const isValid = words.length > 0 && words.length <= MAX_UIDS && uids.length + names.length === words.length;
  return isValid ? { uids, names: names.filter((name) => name !== "root") } : undefined;
}

function parseShared(value: string): string[] | undefined {
  if (value === "none") return [];
  const words = wordsOf(value);
  return words.length > 0 && words.every(parseClient) ? words : undefined;
}

function parseRecorders(value: string): Recorders | undefined {
  const words = wordsOf(value);
  const uids = words.filter((word) => /^\d{1,10}$/.test(word)).map(Number);
  const owner = words.includes("owner");
  const others = words.filter((word) => word !== "owner" && word !== "root" && !/^\d{1,10}$/.test(word));
  if (words.length === 0 || words.length > MAX_UIDS || others.length > 0) return undefined;
  return { uids, owner };
}
