import { childProcess } from "@qmail-mysql/native";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer, toText } from "@qmail-mysql/wire";
import { PERLS } from "./perl.ts";

/** A line of the passwd database: getpwnam(3). */
export interface PasswdEntry {
  readonly name: string;
  /** "x" if it is in the shadow database. */
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

const NAME_MAX = 255; // LOGIN_NAME_MAX on Linux is 256 with its NUL

/** A program to run: the paths to try, the arguments and the input on descriptor 0, a byte string. */
interface Question {
  readonly files: readonly string[];
  readonly args: readonly string[];
  readonly input: string;
}

/**
 * The system accounts among `names`, from the sources in nsswitch.conf: getpwnam(3) in another process, which can be
 * killed if a name service hangs.
 */
export function findSystemAccounts(names: readonly string[], timeout: number): PasswdEntry[] {
  return questions("passwd", names)
    .flatMap((question) => ask(question, timeout))
    .filter(isAmong(names))
    .map(passwdEntry);
}

/** The same, asynchronously. */
export async function awaitSystemAccounts(names: readonly string[], timeout: number): Promise<PasswdEntry[]> {
  const answers = questions("passwd", names).map((question) => awaitAnswer(question, timeout));
  return (await Promise.all(answers)).flat().filter(isAmong(names)).map(passwdEntry);
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

/** The shadow entry of an account; undefined if it has none, or if the caller is not root. */
export function findShadow(name: string, timeout: number): ShadowEntry | undefined {
  const [line] = questions("shadow", [name])
    .flatMap((question) => ask(question, timeout))
    .filter(isAmong([name]));
  const [, password = "", , , , , , expires = ""] = line?.split(":") ?? [];
  return line === undefined ? undefined : { password, expires };
}

const GETENT = ["/usr/bin/getent"];

/** What getent(1) treats as a uid rather than a name: any string that strtoul(3) parses completely. */
const NUMBER = /^[ \t-\r]*[-+]?\d+$/;

/**
 * getpwnam(3) for names that getent(1) does not support. The errors that mean "no such name" are those in its manual;
 * any other is trouble, exit 1. The password is not printed: for root perl would return the shadow one.
 */
const GETPWNAM = `use Errno qw(ENOENT ESRCH EBADF EPERM);
  binmode STDIN; binmode STDOUT; local $/; for my $name (split /\\0/, <STDIN>) {
    $! = 0; my @p = getpwnam $name;
    if (@p) { print "$p[0]:x:$p[2]:$p[3]::$p[7]:$p[8]\\n" }
    elsif ($! != 0 && $! != ENOENT && $! != ESRCH && $! != EBADF && $! != EPERM) { exit 1 }
  }`;

/** The programs to run for `names`; none for names that no account can have. */
function questions(database: "passwd" | "shadow", names: readonly string[]): Question[] {
  const possible = names.filter((name) => /^[^\0\n:]+$/.test(name) && name.length <= NAME_MAX);
  const isForGetent = (name: string) =>
    toText(name) !== undefined && (database === "shadow" || !NUMBER.test(name));
  const others = possible.filter((name) => !isForGetent(name));
  const texts = possible.filter(isForGetent).map((name) => toText(name) ?? "");
  const all: Question[] = [];
  if (texts.length > 0) all.push({ files: GETENT, args: [database, "--", ...texts], input: "" });
  if (others.length > 0 && database === "passwd")
    all.push({ files: PERLS, args: ["-e", GETPWNAM], input: others.join("\0") });
  return all;
}

const OPTIONS = {
  env: { LC_ALL: "C" },
  killSignal: "SIGKILL", // a process in a name service may ignore other signals
  maxBuffer: 1 << 20,
  cwd: "/",
} as const;

function ask({ files, args, input }: Question, timeout: number): string[] {
  for (const file of files) {
    const { error, status, signal, stdout } = childProcess().spawnSync(file, args, {
      ...OPTIONS,
      input: toBuffer(input),
      stdio: [input === "" ? "ignore" : "pipe", "pipe", "ignore"],
      timeout: timeout * 1000,
    });
    if (errno(error) === "ENOENT") continue;
    if (error) throw new Trouble(`unable to run ${file}: ${reason(error)}`);
    return lines(file, status ?? signal, stdout);
  }
  throw missing(files);
}

async function awaitAnswer({ files, args, input }: Question, timeout: number): Promise<string[]> {
  const options = { ...OPTIONS, encoding: "buffer", timeout: timeout * 1000 } as const;
  for (const file of files) {
    const answer = await new Promise<string[] | undefined>((resolve, reject) => {
      const child = childProcess().execFile(file, args, options, (error, stdout) => {
        try {
          if (errno(error) === "ENOENT") return resolve(undefined);
          resolve(lines(file, error ? (error.code ?? error.signal) : 0, stdout));
        } catch (trouble) {
          reject(trouble);
        }
      });
      child.stdin?.on("error", () => {}); // it has ended; see its exit code
      child.stdin?.end(toBuffer(input));
    });
    if (answer) return answer;
  }
  throw missing(files);
}

const missing = (files: readonly string[]) =>
  new Trouble(`unable to look up a system account: there is no ${files.join(" and no ")}`);

function lines(file: string, ended: number | string | null | undefined, stdout: Buffer): string[] {
  // getent(1): 2 means that one or more of the keys could not be found.
  if (ended !== 0 && !(ended === 2 && GETENT.includes(file))) {
    throw new Trouble(`unable to look up a system account: ${file} failed (${ended})`);
  }
  return stdout.toString("latin1").split("\n");
}

/** Selects lines whose first field is exactly one of `names`; a name service may compare otherwise. */
function isAmong(names: readonly string[]): (line: string) => boolean {
  const asked = new Set(names);
  return (line) => asked.has(line.slice(0, line.indexOf(":")));
}
