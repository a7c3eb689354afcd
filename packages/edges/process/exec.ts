import {
  checkExecutable,
  cString,
  F_SETFD,
  FD_CLOEXEC,
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

// signal.h
const SIG_DFL = 0;
const SIGPIPE = 13;
const SIGXFSZ = 25;
const SIG_SETMASK = 2;
const SIGSET_SIZE = 128;

/**
 * Executes another program, as execvp(3): descriptors 0-2 stay open, those of the runtime are closed, no signal is
 * blocked, SIGPIPE and SIGXFSZ have their default actions. `argv` are byte strings; `set` is added to the environment.
 * `keep` is another descriptor to keep open; `program` is the file, if it is not argv[0]. Throws Trouble if the program
 * cannot be executed.
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
      if (errno(failure) !== "EACCES") failure = error; // execvp(3): EACCES is preferred
      if (!["ENOENT", "ENOTDIR", "EACCES"].includes(errno(error))) break;
    }
  }
  throw new Trouble(`unable to run ${program}: ${reason(failure)}`, { cause: failure });
}

/** execve(2) of the C library, with exact bytes. */
function execBytes(
  c: Native,
  file: string,
  argv: readonly string[],
  set: Readonly<Record<string, string>>,
  keep: number | undefined,
): void {
  const variables = environment().filter((entry) => !Object.hasOwn(set, entry.slice(0, entry.indexOf("="))));
  for (const name in set) variables.push(`${name}=${set[name]}`);
  // The runtime itself has set close-on-exec for descriptors above 3.
  if (keep !== 3) closeOnExec(c, 3, FD_CLOEXEC);
  if (keep !== undefined) closeOnExec(c, keep, 0);
  c.call("sigprocmask", SIG_SETMASK, new Uint8Array(SIGSET_SIZE), 0);
  // The runtime ignores these signals.
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

/** execve of the runtime, which takes only text. */
function execText(
  file: string,
  argv: readonly string[],
  set: Readonly<Record<string, string>>,
  keep: number | undefined,
): void {
  // The runtime ignores these signals. Exec resets only signals with a handler to their default action.
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
  accessSync(toBuffer(file), constants.X_OK); // on failure Node aborts
  if (!isBun()) checkExecutable(file);
  process.execve?.(path, args, env);
}
