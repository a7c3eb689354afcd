import { Trouble } from "@qmail-mysql/trouble";
import { errnoError } from "./errno-number.ts";
import { type MakeVector, vectors } from "./vectors.ts";

// What a server needs that the runtime does not offer: a backlog of its own, the very socket as a child's
// descriptors, an environment of any bytes, the raw wait status.

type Arg = "int" | "ptr";
type Call = (...args: (number | bigint | ArrayBufferView | null)[]) => number;

const SYMBOLS = {
  accept4: ["int", "ptr", "ptr", "int"],
  bind: ["int", "ptr", "int"],
  close: ["int"],
  fcntl: ["int", "int", "int"],
  getsockname: ["int", "ptr", "ptr"],
  getsockopt: ["int", "int", "int", "ptr", "ptr"],
  listen: ["int", "int"],
  posix_spawn: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr"],
  posix_spawn_file_actions_adddup2: ["ptr", "int", "int"],
  posix_spawn_file_actions_destroy: ["ptr"],
  posix_spawn_file_actions_init: ["ptr"],
  posix_spawnattr_init: ["ptr"],
  posix_spawnattr_setflags: ["ptr", "int"],
  posix_spawnattr_setsigdefault: ["ptr", "ptr"],
  posix_spawnattr_setsigmask: ["ptr", "ptr"],
  setgid: ["int"],
  setsockopt: ["int", "int", "int", "ptr", "int"],
  setuid: ["int"],
  sigemptyset: ["ptr"],
  sigfillset: ["ptr"],
  socket: ["int", "int", "int"],
  waitpid: ["int", "ptr", "int"],
} as const satisfies Record<string, readonly Arg[]>;

export interface Libc {
  readonly call: Readonly<Record<keyof typeof SYMBOLS, Call>>;
  /** The reason of the call that just failed, as an error to throw or to name. */
  failure(): Error & { code: string };
  vectors(): MakeVector;
}

let loaded: Libc | undefined;

/** The C library. Throws Trouble where the runtime has no way to it. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

/** The runtime calls C by code it makes itself, which takes room that a limit may not leave. */
function mayCall<T>(open: () => T): T {
  try {
    return open();
  } catch {
    throw new Trouble("unable to call the C library: the limit on address space is below 3 GB");
  }
}

function load(): Libc {
  if (process.versions.bun === undefined) {
    throw new Trouble("unable to call the C library: this program needs the compiled runtime");
  }
  const { dlopen, FFIType, ptr, read } = require("bun:ffi") as typeof import("bun:ffi");
  const type = (arg: Arg) => (arg === "int" ? FFIType.i32 : FFIType.ptr);
  const declared = Object.fromEntries(
    Object.entries(SYMBOLS).map(([name, args]) => [name, { args: args.map(type), returns: FFIType.i32 }]),
  );
  const open = () =>
    dlopen("libc.so.6", { ...declared, __errno_location: { args: [], returns: FFIType.ptr } });
  const { symbols } = mayCall(open);
  const errnoAt = symbols.__errno_location as () => Parameters<typeof read.i32>[0];
  return {
    call: symbols as unknown as Libc["call"],
    failure: () => errnoError(read.i32(errnoAt(), 0)),
    vectors: () => vectors((bytes) => ptr(bytes)),
  };
}
