import {
  checkExecutable,
  cString,
  isBun,
  type Native,
  native,
  nodeFs,
  pathSearch,
  vector,
} from "@qmail-mysql/native";
import { errno, errorOf, reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer, toText } from "@qmail-mysql/wire";
import { environment } from "./environment.ts";

// fcntl.h, signal.h
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const SIG_DFL = 0;
const SIGPIPE = 13;
const SIGXFSZ = 25;
const SIG_SETMASK = 2;
const SIGSET_SIZE = 128;

/**
 * Becomes another program, as execvp(3): same pid, descriptors 0-2 kept, the runtime's own closed,
 * no signal blocked, SIGPIPE and SIGXFSZ at their defaults. `argv` are byte strings; `set` is added to the environment.
 * Throws Trouble when no such program can be run. `keep` is a descriptor above 2 that the program gets too; `program`
 * is its file, where argv[0] is not to name it.
 */
export function exec(
  argv: readonly string[],
  set: Readonly<Record<string, string>> = {},
  keep?: number,
  program = argv[0] ?? "",
): never {
  const c = native();
  let failure: unknown = errorOf("ENOENT");
  for (const file of pathSearch(program)) {
    try {
      if (c) execBytes(c, file, argv, set, keep);
      else execText(file, argv, set, keep);
    } catch (error) {
      if (errno(failure) !== "EACCES") failure = error; // execvp(3): access denied is the better answer
      if (!["ENOENT", "ENOTDIR", "EACCES"].includes(errno(error))) break;
    }
  }
  throw new Trouble(`unable to run ${program}: ${reason(failure)}`, { cause: failure });
}

/** execve(2) of the C library, byte for byte. */
function execBytes(
  c: Native,
  file: string,
  argv: readonly string[],
  set: Readonly<Record<string, string>>,
  keep: number | undefined,
): void {
  const variables = environment().filter((entry) => !Object.hasOwn(set, entry.slice(0, entry.indexOf("="))));
  for (const name in set) variables.push(`${name}=${set[name]}`);
  // What the runtime opened or found above 3 it marked itself.
  if (keep !== 3) closeOnExec(c, 3, FD_CLOEXEC);
  if (keep !== undefined) closeOnExec(c, keep, 0);
  c.call("sigprocmask", SIG_SETMASK, new Uint8Array(SIGSET_SIZE), 0);
  // The runtime ignores these two.
  c.call("signal", SIGPIPE, SIG_DFL);
  c.call("signal", SIGXFSZ, SIG_DFL);
  const [args, env] = [vector(c, argv), vector(c, variables)];
  c.call("execve", cString(file), args.pointers, env.pointers);
}

function closeOnExec(c: Native, fd: number, flag: number): void {
  try {
    c.call("fcntl", fd, F_SETFD, flag);
  } catch (error) {
    if (errno(error) !== "EBADF") throw error;
  }
}

/** The runtime's own way, for text. */
function execText(
  file: string,
  argv: readonly string[],
  set: Readonly<Record<string, string>>,
  keep: number | undefined,
): void {
  // Exec resets a caught signal to its default, an ignored one, as the runtime has these, stays ignored.
  process.on("SIGPIPE", () => {});
  process.on("SIGXFSZ", () => {});
  const path = toText(file);
  const args = argv.map(toText).filter((arg) => arg !== undefined);
  const env = { ...process.env };
  for (const [name, value] of Object.entries(set)) env[name] = toText(value) ?? "\ufffd";
  const lost = Object.entries(env).some((entry) => entry.join("").includes("\ufffd"));
  if (path === undefined || args.length < argv.length || lost) {
    throw new Error("its arguments or environment are not UTF-8, which this runtime cannot pass on");
  }
  if (keep !== undefined && isBun()) {
    throw new Error("unable to pass on a descriptor: the limit on address space is below 3 GB");
  }
  const { accessSync, constants, statSync } = nodeFs();
  if (!statSync(toBuffer(file)).isFile()) throw errorOf("EACCES");
  accessSync(toBuffer(file), constants.X_OK); // Node aborts where Bun throws
  if (!isBun()) checkExecutable(file);
  process.execve?.(path, args, env);
}
