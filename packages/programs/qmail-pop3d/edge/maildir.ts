import { closeSync, openSync, readdirSync, readSync, renameSync, statSync, unlinkSync } from "node:fs";
import { inOrder, type Message, seenName } from "@qmail-mysql/pop3";
import { toBuffer } from "@qmail-mysql/wire";

// All names are relative to the Maildir, which is the working directory.

const STALE = 129_600; // seconds, 36 hours: maildir(5)

const ASCII = /^[\0-\x7f]*$/;

/** A path as the system takes it: text when that is exact, and cheaper. */
const path = (bytes: string): string | Buffer => (ASCII.test(bytes) ? bytes : toBuffer(bytes));

const fileOf = ({ name, isNew }: Message): string | Buffer => path(`${isNew ? "new" : "cur"}/${name}`);

/** The names in a directory but those with a leading dot, as byte strings. Throws when it cannot be read. */
function* names(dir: string): Generator<string> {
  let found = readdirSync(dir);
  if (!found.every((name) => ASCII.test(name))) {
    found = readdirSync(dir, "buffer").map((name) => name.toString("latin1"));
  }
  for (const name of found) if (!name.startsWith(".")) yield name;
}

/** What stat(2) says, undefined when it fails: the file went away meanwhile. */
function look(file: string | Buffer): { mtime: number; atime: number; size: number } | undefined {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) return undefined;
    const seconds = (ms: number) => Math.floor(ms / 1000);
    return { mtime: seconds(stat.mtimeMs), atime: seconds(stat.atimeMs), size: stat.size };
  } catch {
    return undefined;
  }
}

/** Removes what deliveries that never finished left in tmp/ more than 36 hours ago. `now` in seconds. */
export function cleanTmp(now: number): void {
  try {
    for (const name of names("tmp")) {
      const file = path(`tmp/${name}`);
      const found = look(file);
      if (found && now > found.atime + STALE) unlink(file);
    }
  } catch {
    // tmp/ cannot be read; the mail in new/ and cur/ can all the same.
  }
}

/**
 * The messages, in order. What was modified in this very second waits for the next session: another could
 * still come to stand before it. Throws when new/ or cur/ cannot be read.
 */
export function scan(now: number): Message[] {
  const messages: Message[] = [];
  for (const isNew of [true, false]) {
    for (const name of names(isNew ? "new" : "cur")) {
      const found = look(fileOf({ name, isNew, mtime: 0, size: 0 }));
      if (found && found.mtime < now) messages.push({ name, isNew, mtime: found.mtime, size: found.size });
    }
  }
  return messages.sort(inOrder);
}

/** Deletes the message; false when it cannot. */
export const remove = (message: Message): boolean => unlink(fileOf(message));

function unlink(file: string | Buffer): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch {
    return false;
  }
}

/** Moves a message of new/ to cur/; one that cannot be moved stays. */
export function markOld(message: Message): void {
  if (!message.isNew) return;
  try {
    renameSync(fileOf(message), path(`cur/${seenName(message.name)}`));
  } catch {
    // It is new once more in the next session.
  }
}

const PIECE = 32768;

/** The message's bytes, a piece at a time, each valid until the next; undefined when it cannot be opened. */
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
