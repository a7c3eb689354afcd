import { accessSync, constants, statSync } from "node:fs";
import { toBuffer, toText } from "@qmail-mysql/wire";
import { Trouble } from "./die.ts";
import { environment } from "./environment.ts";
import { errno, reason } from "./errno.ts";
import { checkExecutable } from "./executable.ts";
import { libc } from "./libc.ts";

const F_SETFD = 2; // fcntl.h
const DEFAULT_PATH = "/bin:/usr/bin"; // execvp(3)

/**
 * Becomes another program, as execvp(3): same pid, descriptors 0-2 kept, the runtime's own closed,
 * SIGPIPE and SIGXFSZ at their defaults. `argv` are byte strings; `set` is added to the environment.
 * Throws Trouble when no such program can be run. `keep` is a descriptor above 2 that the program gets too.
 */
export function exec(
  argv: readonly string[],
  set: Readonly<Record<string, string>> = {},
  keep?: number,
): never {
  const [program = ""] = argv;
  // The runtime ignores these two; exec resets a caught signal to its default, an ignored one stays ignored.
  process.on("SIGPIPE", () => {});
  process.on("SIGXFSZ", () => {});
  let failure: unknown = Object.assign(new Error(), { code: "ENOENT" });
  for (const file of candidates(program)) {
    try {
      statSync(toBuffer(file)).isFile() || refuse("EACCES");
      accessSync(toBuffer(file), constants.X_OK); // Node aborts where Bun throws
      if (process.versions.bun === undefined) checkExecutable(file);
      replaceProcess(file, argv, set, keep);
    } catch (error) {
      if (errno(failure) !== "EACCES") failure = error; // execvp(3): access denied is the better answer
      if (!["ENOENT", "ENOTDIR", "EACCES"].includes(errno(error))) break;
    }
  }
  throw new Trouble(`unable to run ${program}: ${reason(failure)}`, { cause: failure });
}

function refuse(code: string): never {
  throw Object.assign(new Error(code), { code });
}

function candidates(program: string): string[] {
  if (program === "") return [];
  if (program.includes("/")) return [program];
  return (process.env.PATH ?? DEFAULT_PATH).split(":").map((dir) => `${dir === "" ? "." : dir}/${program}`);
}

function replaceProcess(
  file: string,
  argv: readonly string[],
  set: Readonly<Record<string, string>>,
  keep: number | undefined,
): void {
  const path = toText(file);
  const args = argv.map(toText).filter((arg) => arg !== undefined);
  const env = { ...process.env };
  for (const [name, value] of Object.entries(set)) env[name] = toText(value) ?? "\ufffd";
  // What is not UTF-8 the runtime could not decode and cannot pass on: then the bytes go around it.
  const lost = Object.entries(env).some((entry) => entry.join("").includes("\ufffd"));
  if (keep !== undefined && process.versions.bun !== undefined) {
    libc().call.fcntl(keep, F_SETFD, 0); // the runtime has marked it to be closed
    execBytes(file, argv, set);
  }
  if (path === undefined || args.length < argv.length || lost) execBytes(file, argv, set);
  else process.execve?.(path, args, env);
}

/** execve(2) of the C library, byte for byte. */
function execBytes(file: string, argv: readonly string[], set: Readonly<Record<string, string>>): void {
  if (process.versions.bun === undefined) {
    throw new Error("its arguments or environment are not UTF-8, which this runtime cannot pass on");
  }
  const { dlopen, FFIType, ptr } = require("bun:ffi") as typeof import("bun:ffi");
  const clib = dlopen("libc.so.6", {
    execve: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  });
  const names = new Set(Object.keys(set));
  const inherited = environment().filter((entry) => !names.has(entry.slice(0, entry.indexOf("="))));
  const keep: Buffer[] = []; // until the call, nothing may collect what the pointers point to
  const cString = (bytes: string) => {
    const buffer = toBuffer(`${bytes}\0`);
    keep.push(buffer);
    return buffer;
  };
  const vector = (strings: readonly string[]) => {
    const pointers = new BigUint64Array(strings.length + 1);
    strings.forEach((s, i) => {
      pointers[i] = BigInt(ptr(cString(s)) as number);
    });
    return pointers;
  };
  const argvPointers = vector(argv);
  const envPointers = vector([
    ...inherited,
    ...Object.entries(set).map(([name, value]) => `${name}=${value}`),
  ]);
  clib.symbols.execve(ptr(cString(file)), ptr(argvPointers), ptr(envPointers));
  throw new Error(`execve failed (${keep.length} strings)`);
}
