import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { checkExecutable } from "@qmail-mysql/native";
import { type ChildEnd, runChild, writeAll } from "@qmail-mysql/process";
import { errorOf } from "@qmail-mysql/trouble";

/** How qmail-queue is run. */
export interface QueueRun {
  /** The program, absolute or relative to the qmail home. */
  readonly program: string;
  readonly qmailHome: string;
  /** Added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Its descriptor 2. */
  readonly err: number;
}

/** A message and its envelope in files, for a qmail-queue that is started when they are complete. */
export interface SpooledQueue {
  put(bytes: string | Uint8Array): void;
  /** Runs qmail-queue; `custom` is what it wrote to descriptor 6. */
  close(envelope: string): { readonly ended: ChildEnd; readonly custom: string };
  /** Closes the files. */
  abandon(): void;
}

const LIMIT = 86_400_000 + 60_000; // milliseconds; qmail-queue itself exits after a day
const CUSTOM_LIMIT = 255; // bytes; qmail-queue(8)
const LATE = 52; // exit code of qmail-queue: timeout
const NOT_RUN = 120; // exit code of a child of qmail.c that cannot run the program

/**
 * Descriptors 0, 1 and 6 of qmail-queue are unlinked files, not pipes: the message is complete before it starts, and a
 * process that keeps one of them open delays nobody. Its SIGPIPE is ignored, as below stock programs. Throws with an
 * errno.
 */
export function spooledQueue({ program, qmailHome, env, err }: QueueRun): SpooledQueue {
  const open: number[] = [];
  const keep = (fd: number) => {
    open.push(fd);
    return fd;
  };
  const [text, addresses, custom] = [keep(scratch()), keep(scratch()), keep(scratch())];
  const file = program.startsWith("/") ? program : `${qmailHome}/${program}`;
  return {
    put: (bytes) => writeAll(text, bytes),
    close(envelope) {
      writeAll(addresses, envelope);
      if (!mayRun(file)) return { ended: { pid: 0, code: NOT_RUN, late: false }, custom: "" };
      const ended = runChild({
        argv: [file],
        ignoreSigpipe: true,
        env,
        stdio: [keep(rewound(text)), keep(rewound(addresses)), err, "none", "none", "none", custom],
        cwd: qmailHome,
        limit: LIMIT,
      });
      return { ended: ended.late ? { ...ended, code: LATE } : ended, custom: customText(custom) };
    },
    abandon() {
      for (const fd of open.splice(0)) closeSync(fd);
    },
  };
}

/** Would execve(2) succeed? With a shell in between, the reason would be lost. */
function mayRun(file: string): boolean {
  try {
    if (!statSync(file).isFile()) throw errorOf("EACCES");
    accessSync(file, constants.X_OK);
    checkExecutable(file);
    return true;
  } catch {
    return false;
  }
}

let count = 0;

/** An empty unlinked file. */
function scratch(): number {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const dir = process.env.TMPDIR || "/tmp";
  const path = `${dir}/qmail-queue.${process.pid}.${performance.timeOrigin}.${count++}`;
  const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  unlinkSync(path);
  return fd;
}

/** Opens the file of a descriptor again: at its beginning, with its own offset. */
function rewound(fd: number): number {
  return openSync(`/proc/self/fd/${fd}`, "r");
}

function customText(fd: number): string {
  const size = Math.min(fstatSync(fd).size, CUSTOM_LIMIT);
  const buffer = Buffer.alloc(size);
  const n = size === 0 ? 0 : readSync(fd, buffer, 0, size, 0);
  return buffer.toString("latin1", 0, n);
}
