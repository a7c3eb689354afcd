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
import { afterQueue, envelope, Failure, unforwarded } from "@qmail-mysql/delivery";
import { checkExecutable } from "@qmail-mysql/native";
import { runChild, writeAll } from "@qmail-mysql/process";
import { errorOf, SOFT } from "@qmail-mysql/trouble";
import { rewound } from "./program.ts";

/** A message for qmail-queue. */
export interface Outgoing {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** Text written before the message. */
  readonly head: string;
  readonly message: Iterable<Uint8Array>;
  readonly env: Readonly<Record<string, string>>;
  readonly qmailHome: string;
  /** Descriptor 2 of qmail-queue. */
  readonly err: number;
}

const LIMIT = 86_400_000 + 60_000; // milliseconds; qmail-queue itself exits after a day
const CUSTOM_LIMIT = 255; // bytes; qmail-queue(8)

/**
 * Passes a message to qmail-queue, or to $QMAILQUEUE; returns its pid. Descriptors 0, 1 and 6 are unlinked files, not
 * pipes: the message is complete before qmail-queue starts, and a process that keeps one of them open does not delay
 * the delivery. Throws Failure.
 */
export function queueMessage(outgoing: Outgoing): number {
  const { sender, recipients, head, message, env, qmailHome, err } = outgoing;
  const open: number[] = [];
  const keep = (fd: number) => {
    open.push(fd);
    return fd;
  };
  try {
    const text = keep(scratch());
    const addresses = keep(scratch());
    const custom = keep(scratch());
    writeAll(text, head);
    for (const piece of message) writeAll(text, piece);
    writeAll(addresses, envelope(sender, recipients));
    const file = program(qmailHome);
    mayRun(file);
    const ended = runChild({
      argv: [file],
      ignoreSigpipe: true, // as in stock qmail-local, and inherited by qmail-queue
      env,
      stdio: [keep(rewound(text)), keep(rewound(addresses)), err, "none", "none", "none", custom],
      cwd: qmailHome,
      limit: LIMIT,
    });
    afterQueue(ended.late ? { ...ended, code: 52 } : ended, customText(custom));
    return ended.pid;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw unforwarded(SOFT, "qq write error or disk full (#4.3.0)");
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

/** $QMAILQUEUE, even if it is empty, as in qmail. */
function program(qmailHome: string): string {
  const name = process.env.QMAILQUEUE ?? "bin/qmail-queue";
  return name.startsWith("/") ? name : `${qmailHome}/${name}`;
}

/** Throws Failure if execve(2) would fail: with a shell in between, the reason would be lost. */
function mayRun(file: string): void {
  try {
    if (!statSync(file).isFile()) throw errorOf("EACCES");
    accessSync(file, constants.X_OK);
    checkExecutable(file);
  } catch {
    throw unforwarded(SOFT, "unable to exec qq (#4.3.0)");
  }
}

let count = 0;

/** An empty unlinked file. */
function scratch(): number {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const dir = process.env.TMPDIR || "/tmp";
  const path = `${dir}/qmail-local.${process.pid}.${performance.timeOrigin}.${count++}`;
  const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  unlinkSync(path);
  return fd;
}

function customText(fd: number): string {
  const size = Math.min(fstatSync(fd).size, CUSTOM_LIMIT);
  const buffer = Buffer.alloc(size);
  const n = size === 0 ? 0 : readSync(fd, buffer, 0, size, 0);
  return buffer.toString("latin1", 0, n);
}
