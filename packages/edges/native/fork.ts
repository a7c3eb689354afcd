import { closeSync, readFileSync, statSync } from "node:fs";
import { Trouble } from "@qmail-mysql/trouble";
import { libc } from "./native.ts";

// Linux and the C library's ABI on 64-bit machines
const MADV_DOFORK = 11;
const SIGCHLD = 17;
const SIG_SETMASK = 2;
const SIGSET_SIZE = 128; // bytes
const SFD_CLOEXEC_NONBLOCK = 0o2004000;
const POLLIN = 0x1;
const POLLHUP = 0x10;
const WNOHANG = 1;

const MOMENT = 200; // milliseconds to wait for temporary threads

/** How a child ended: its exit code or the number of the signal. */
export interface Reaped {
  readonly pid: number;
  readonly code: number | undefined;
  readonly signal: number | undefined;
}

/**
 * fork(2) without exec, for a process with a single thread: the child has a consistent copy, since no lock is held by a
 * thread that does not exist in it. Bun only.
 */
export interface Forking {
  /**
   * False if the runtime has a permanent second thread, for example of its garbage collector: fork must not be called
   * then. Waits for threads that it starts temporarily; not again after a wait in vain.
   */
  mayFork(): boolean;
  /** The pid of the child, 0 in the child; undefined if it failed. */
  fork(): number | undefined;
  /** _exit(2), without the exit handlers of the runtime. */
  exit(code: number): never;
  /** Waits until the other end of a socket is closed, which is reported first, or it is readable, or a child ended. */
  wait(socket: number): "readable" | "closed" | "child";
  /** The children that have ended. */
  reap(): Reaped[];
}

export function openForking(): Forking {
  const { call, prepare } = libc();
  prepare("fork", "getpid", "madvise", "_exit", "poll", "read", "signalfd", "sigprocmask", "waitpid"); // before unshared()
  const [children, nothing] = [new Uint8Array(SIGSET_SIZE), new Uint8Array(SIGSET_SIZE)];
  children[(SIGCHLD - 1) >> 3] = 1 << ((SIGCHLD - 1) & 7);
  const ends = call.signalfd(-1, children, SFD_CLOEXEC_NONBLOCK);
  if (ends < 0) throw new Trouble("unable to create a signal descriptor");
  call.sigprocmask(SIG_SETMASK, children, null);
  for (const [start, length] of unshared()) {
    call.madvise(start, length, MADV_DOFORK);
  }
  let patience = MOMENT;
  const polled = new Int32Array(4);
  const status = new Int32Array(1);
  const siginfo = new Uint8Array(SIGSET_SIZE);

  return {
    mayFork() {
      for (const end = performance.now() + patience; ; call.poll(null, 0, 1)) {
        const isAlone = statSync("/proc/self/task").nlink === 3; // ".", ".." and one thread
        if (!isAlone && performance.now() < end) continue;
        patience = isAlone ? MOMENT : 0;
        return isAlone;
      }
    },
    fork() {
      const pid = call.fork();
      if (pid === 0) {
        closeSync(ends);
        call.sigprocmask(SIG_SETMASK, nothing, null);
        // The runtime keeps the pid that it has read, here that of the parent; maildir(5) has it in names of files.
        Object.defineProperty(process, "pid", { value: call.getpid() });
      }
      return pid < 0 ? undefined : pid;
    },
    exit(code) {
      call._exit(code);
      throw new Error("_exit(2) returned");
    },
    wait(socket) {
      polled.set([socket, POLLIN, ends, POLLIN]);
      call.poll(polled, 2, -1);
      while (call.read(ends, siginfo, siginfo.length) > 0);
      const events = (polled[1] ?? 0) >> 16;
      if (events & POLLHUP) return "closed";
      return events === 0 ? "child" : "readable";
    },
    reap() {
      const reaped: Reaped[] = [];
      for (;;) {
        const pid = call.waitpid(-1, status, WNOHANG);
        if (pid <= 0) return reaped;
        const [word = 0] = status;
        const signal = word & 0x7f;
        reaped.push(
          signal === 0
            ? { pid, code: (word >> 8) & 0xff, signal: undefined }
            : { pid, code: undefined, signal },
        );
      }
    },
  };
}

/**
 * The memory that a child would not inherit: the runtime marks its compiled code with MADV_DONTFORK, which is correct
 * only if another program is run after the fork.
 */
function unshared(): [start: number, length: number][] {
  const found: [number, number][] = [];
  let range: [number, number] = [0, 0];
  for (const line of readFileSync("/proc/self/smaps", "latin1").split("\n")) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line) ?? [];
    if (from !== undefined && to !== undefined) {
      const start = Number.parseInt(from, 16);
      range = [start, Number.parseInt(to, 16) - start];
    } else if (/^VmFlags:.* dc( |$)/.test(line)) found.push(range);
  }
  return found;
}
