import { existsSync } from "node:fs";
import { errnoError, libc, pathSearch, vector } from "@qmail-mysql/native";
import { toBuffer } from "@qmail-mysql/wire";
import type { Spawn } from "./tcp-system.ts";

const WNOHANG = 1;
const SETSIGDEF_AND_SETSIGMASK = 0x04 | 0x08; // spawn.h
const ATTR_SIZE = 512; // posix_spawnattr_t is 336 bytes in glibc, 288 in musl
const ACTIONS_SIZE = 256;
const SIGSET_SIZE = 128;

const ENOENT = 2;
// pathexec_run.c: after these errors the next directory of the path is tried.
const TRY_NEXT = new Set(["ENOENT", "EACCES", "EPERM", "EISDIR"]);

/** The spawner of TcpSystem with posix_spawn, for an environment of any bytes. */
export function spawner(argv: readonly string[], program = argv[0] ?? ""): Spawn {
  const c = libc();
  const { call } = c;
  const args = vector(c, argv);
  const attr = new Uint8Array(ATTR_SIZE);
  const all = new Uint8Array(SIGSET_SIZE);
  const none = new Uint8Array(SIGSET_SIZE);
  call.sigfillset(all);
  call.sigemptyset(none);
  call.posix_spawnattr_init(attr);
  call.posix_spawnattr_setflags(attr, SETSIGDEF_AND_SETSIGMASK);
  call.posix_spawnattr_setsigdefault(attr, all);
  call.posix_spawnattr_setsigmask(attr, none);
  const files = pathSearch(program).map((file) => ({ file, name: toBuffer(`${file}\0`) }));
  const actions = new Uint8Array(ACTIONS_SIZE);
  const pid = new Int32Array(1);

  return (env, fd) => {
    const { pointers, bytes } = vector(c, env);
    let failure = ENOENT;
    call.posix_spawn_file_actions_init(actions);
    try {
      call.posix_spawn_file_actions_adddup2(actions, fd, 0);
      call.posix_spawn_file_actions_adddup2(actions, fd, 1);
      for (const { file, name } of files) {
        if (files.length > 1 && !existsSync(file)) continue;
        const error = call.posix_spawn(pid, name, actions, attr, args.pointers, pointers);
        if (error === 0) return pid[0] as number;
        if (failure === ENOENT) failure = error;
        if (!TRY_NEXT.has(errnoError(error).code)) break;
      }
      throw errnoError(failure);
    } finally {
      call.posix_spawn_file_actions_destroy(actions);
      bytes.length; // keeps it referenced until here
    }
  };
}

/** The children that have ended since the last call, with their raw wait status. Does not wait. */
export function* endedChildren(): Generator<{ readonly pid: number; readonly status: number }> {
  const { call } = libc();
  const status = new Int32Array(1);
  for (;;) {
    const pid = call.waitpid(-1, status, WNOHANG);
    if (pid <= 0) return;
    yield { pid, status: status[0] as number };
  }
}
