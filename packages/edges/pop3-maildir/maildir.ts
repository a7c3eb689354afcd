import { accessSync, closeSync, constants, openSync, readSync, renameSync, unlinkSync } from "node:fs";
import { type Maildir, Messages } from "@qmail-mysql/pop3";
import type { Steps } from "@qmail-mysql/steps";
import { toBuffer } from "@qmail-mysql/wire";
import { type Found, listed } from "./list.ts";

const STALE = 129_600; // seconds, 36 hours: maildir(5)
const NO_MAILDIR = "this user has no $HOME/Maildir";

const ASCII = /^[\0-\x7f]*$/;

/** A path for a system call: text if it is ASCII, which is cheaper, else bytes. */
const path = (bytes: string): string | Buffer => (ASCII.test(bytes) ? bytes : toBuffer(bytes));

/** The Maildir at `dir`, a byte string; undefined if none is given. */
export function maildirAt(dir: string | undefined): Maildir {
  const fileOf = (messages: Messages, index: number) =>
    path(`${dir}/${messages.isNew(index) ? "new" : "cur"}/${messages.name(index)}`);
  return {
    *open() {
      if (dir === undefined || !isUsable(dir)) return NO_MAILDIR;
      const now = Math.floor(Date.now() / 1000);
      yield* cleanTmp(dir, now);
      try {
        return yield* scan(dir, now);
      } catch {
        return "unable to scan $HOME/Maildir";
      }
    },
    pieces(messages, index) {
      try {
        return piecesOf(openSync(fileOf(messages, index), "r"), messages.size(index));
      } catch {
        return undefined;
      }
    },
    remove: (messages, index) => unlink(fileOf(messages, index)),
    markOld(messages, index) {
      if (!messages.isNew(index)) return;
      try {
        renameSync(fileOf(messages, index), path(`${dir}/cur/${messages.name(index)}:2,`));
      } catch {
        // It is new again in the next session.
      }
    },
  };
}

/** Could this process change to it? */
function isUsable(dir: string): boolean {
  try {
    accessSync(path(`${dir}/`), constants.X_OK);
    return dir !== "";
  } catch {
    return false;
  }
}

/** Removes files in tmp/ that were not accessed for 36 hours, left by interrupted deliveries. `now` is in seconds. */
function* cleanTmp(dir: string, now: number): Steps<void> {
  try {
    yield* listed(`${dir}/tmp`, ({ source, start, end, atime }) => {
      if (now > atime + STALE) unlink(path(`${dir}/tmp/${source.toString("latin1", start, end)}`));
    });
  } catch {
    // tmp/ is not readable; new/ and cur/ may be.
  }
}

/**
 * The messages, in order. Those modified in the current second are left for the next session, since another message
 * with the same time may still arrive before them in the order. Throws if new/ or cur/ cannot be read.
 */
function* scan(dir: string, now: number): Steps<Messages> {
  const messages = new Messages();
  const add = (isNew: boolean) => (found: Found) => {
    const { source, start, end, mtime, size } = found;
    if (mtime < now) messages.add(source, start, end, isNew, mtime, size);
  };
  yield* listed(`${dir}/new`, add(true));
  yield* listed(`${dir}/cur`, add(false));
  messages.sort();
  return messages;
}

function unlink(file: string | Buffer): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch {
    return false;
  }
}

const PIECE = 32_768;

function* piecesOf(fd: number, size: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(PIECE, size + 1)); // a byte more, to see that it ends
  try {
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) yield buffer.subarray(0, n);
  } finally {
    closeSync(fd);
  }
}
