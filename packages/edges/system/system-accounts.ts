import { childProcess } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { fromText, toText } from "@qmail-mysql/wire";

/** A line of the passwd database: getpwnam(3). */
export interface PasswdEntry {
  readonly name: string;
  /** "x" where it is in the shadow database. */
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

const GETENT = "/usr/bin/getent";
const NAME_MAX = 255; // LOGIN_NAME_MAX on Linux is 256 with its NUL

/**
 * The accounts among `names` that the system knows, by whatever nsswitch.conf says. getent(1) and not
 * getpwnam(3): it tells "none" from "trouble", which getpwnam leaves to guesswork about errno.
 */
export function findSystemAccounts(names: readonly string[], timeout: number): PasswdEntry[] {
  return getent("passwd", names, timeout).map(passwdEntry);
}

/** The same for a program that has other things to do meanwhile. */
export async function awaitSystemAccounts(names: readonly string[], timeout: number): Promise<PasswdEntry[]> {
  const keys = askable(names);
  if (keys.length === 0) return [];
  return new Promise((resolve, reject) => {
    const options = { ...OPTIONS, encoding: "buffer", timeout: timeout * 1000 } as const;
    childProcess().execFile(GETENT, operands("passwd", keys), options, (error, stdout) => {
      try {
        const how = { status: error ? error.code : 0, signal: error?.signal ?? null, stdout };
        resolve(lines("passwd", keys, how).map(passwdEntry));
      } catch (trouble) {
        reject(trouble);
      }
    });
  });
}

function passwdEntry(line: string): PasswdEntry {
  const [name = "", password = "", uid, gid, , home = "", shell = ""] = line.split(":");
  return { name, password, uid: Number(uid), gid: Number(gid), home, shell };
}

/** A line of the shadow database: shadow(5). `expires` is a day number, "" for never. */
export interface ShadowEntry {
  readonly password: string;
  readonly expires: string;
}

/** The shadow entry of an account, undefined when it has none; only root finds any. */
export function findShadow(name: string, timeout: number): ShadowEntry | undefined {
  const [line] = getent("shadow", [name], timeout);
  const [, password = "", , , , , , expires = ""] = line?.split(":") ?? [];
  return line === undefined ? undefined : { password, expires };
}

const OPTIONS = {
  env: { LC_ALL: "C" },
  killSignal: "SIGKILL", // a name service that hangs may not heed any other
  maxBuffer: 1 << 20,
  cwd: "/",
} as const;

function getent(database: string, names: readonly string[], timeout: number): string[] {
  const keys = askable(names);
  if (keys.length === 0) return [];
  const result = childProcess().spawnSync(GETENT, operands(database, keys), {
    ...OPTIONS,
    stdio: ["ignore", "pipe", "ignore"],
    timeout: timeout * 1000,
  });
  if (result.error) throw new Trouble(`unable to run ${GETENT}: ${reason(result.error)}`);
  return lines(database, keys, result);
}

function askable(keys: readonly string[]): string[] {
  return keys.filter((key) => /^[^\0\n:]+$/.test(key) && key.length <= NAME_MAX && toText(key) !== undefined);
}

function operands(database: string, keys: readonly string[]): string[] {
  return [database, "--", ...keys.map((key) => toText(key) ?? "")];
}

interface Answer {
  readonly status: number | string | null | undefined;
  readonly signal: string | null;
  readonly stdout: Buffer;
}

/** Those whose first field is exactly one of `keys`; getent itself would take "1000" for a uid. */
function lines(database: string, keys: readonly string[], { status, signal, stdout }: Answer): string[] {
  // getent(1): 2 means that one or more of the keys could not be found.
  if (status !== 0 && status !== 2) {
    throw new Trouble(`unable to look up ${database}: getent failed (${status ?? signal})`);
  }
  const asked = new Set(keys);
  return fromText(stdout.toString())
    .split("\n")
    .filter((line) => asked.has(line.slice(0, line.indexOf(":"))));
}
