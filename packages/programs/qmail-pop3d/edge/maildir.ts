import { closeSync, openSync, readdirSync, readSync, renameSync, statSync, unlinkSync } from "node:fs";
import { inOrder, type Message, seenName } from "@qmail-mysql/pop3";
import { toBuffer } from "@qmail-mysql/wire";

// All names are relative to the Maildir, which is the working directory.

const STALE = 129_600; // seconds, 36 hours: maildir(5)

const ASCII = /^[\0-\x7f]*$/;

/** A path for a system call: text if it is ASCII, which is cheaper, else bytes. */
const path = (bytes: string): string | Buffer => (ASCII.test(bytes) ? bytes : toBuffer(bytes));

const fileOf = ({ name, isNew }: Message): string | Buffer => path(`${isNew ? "new" : "cur"}/${name}`);

/** The names in a directory, except those with a leading dot, as byte strings. Throws if it cannot be read. */
function* names(dir: string): Generator<string> {
  let found = readdirSync(dir);
  if (!found.every((name) => ASCII.test(name))) {
    found = readdirSync(dir, "buffer").map((name) => name.toString("latin1"));
  }
  for (const name of found) if (!name.startsWith(".")) yield name;
}

/** The result of stat(2) for a regular file; undefined if it fails, since the file may have been removed. */
function statOf(file: string | Buffer): { mtime: number; atime: number; size: number } | undefined {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) return undefined;
    const seconds = (ms: number) => Math.floor(ms / 1000);
    return { mtime: seconds(stat.mtimeMs), atime: seconds(stat.atimeMs), size: stat.size };
  } catch {
    return undefined;
  }
}

/** Removes files in tmp/ that were not accessed for 36 hours, left by interrupted deliveries. `now` is in seconds. */
export function cleanTmp(now: number): void {
  try {
    for (const name of names("tmp")) {
      const file = path(`tmp/${name}`);
      const found = statOf(file);
      if (found && now > found.atime + STALE) unlink(file);
    }
  } catch {
    // tmp/ is not readable; new/ and cur/ may be.
  }
}

/**
 * The messages, in order. Those modified in the current second are left for the next session, since another message
 * with the same time may still arrive before them in the order. Throws if new/ or cur/ cannot be read.
 */
export function scan(now: number): Message[] {
  const messages: Message[] = [];
  for (const isNew of [true, false]) {
    for (const name of names(isNew ? "new" : "cur")) {
      const found = statOf(fileOf({ name, isNew, mtime: 0, size: 0 }));
      if (found && found.mtime < now) messages.push({ name, isNew, mtime: found.mtime, size: found.size });
    }
  }
  return messages.sort(inOrder);
}

/** Deletes the message; false if that fails. */
export const remove = (message: Message): boolean => unlink(fileOf(message));

function unlink(file: string | Buffer): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch {
    return false;
  }
}

/** Moves a message of new/ to cur/; if that fails it stays in new/. */
export function markOld(message: Message): void {
  if (!message.isNew) return;
  try {
    renameSync(fileOf(message), path(`cur/${seenName(message.name)}`));
  } catch {
    // It is new again in the next session.
  }
}

const PIECE = 32768;

/** The bytes of a message, piece by piece, each valid until the next; undefined if it cannot be opened. */
export function open(message: Message): Generator<Buffer> | undefined {
  try {
    return pieces(openSync(fileOf(message), "r"));
  } catch {
    return undefined;
  }
}

function* pieces(fd: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(PIECE);
  try {
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) yield buffer.subarray(0, n);
  } finally {
    closeSync(fd);
  }
}
