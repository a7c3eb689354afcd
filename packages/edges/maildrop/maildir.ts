import { accessSync, closeSync, constants, fsyncSync, linkSync, openSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { Failure, temporary } from "@qmail-mysql/delivery";
import { writeAll } from "@qmail-mysql/process";
import { errno, isTemporary } from "@qmail-mysql/trouble";
import { fromText, toBuffer } from "@qmail-mysql/wire";

const TRIES = 3;
const LIMIT = 86_400_000; // milliseconds; qmail-local's alarm

let count = 0;

/**
 * Delivers to a maildir (its path ends with a slash): maildir(5). `head` is what comes before the message; the
 * message's bytes are not changed. In new/ there is either all of it, synced, or nothing. Throws Failure.
 */
export function deliverToMaildir(dir: string, head: string, message: Iterable<Uint8Array>): void {
  const end = performance.now() + LIMIT;
  const { fd, name } = create(dir);
  const path = toBuffer(`${dir}tmp/${name}`);
  try {
    try {
      writeAll(fd, head);
      for (const piece of message) {
        if (performance.now() > end) throw temporary("Timeout on maildir delivery. (#4.3.0)");
        writeAll(fd, piece);
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(path, toBuffer(`${dir}new/${name}`));
    syncDirectory(`${dir}new`);
  } catch (error) {
    throw error instanceof Failure ? error : notNow();
  } finally {
    remove(path);
  }
}

/** Makes the link itself outlive a power failure, where that can be done: the delivery is made in any case. */
function syncDirectory(dir: string): void {
  try {
    const fd = openSync(toBuffer(dir), constants.O_RDONLY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // not readable, or a file system whose directories cannot be synced
  }
}

const notNow = () => temporary("Temporary error on maildir delivery. (#4.3.0)");

function create(dir: string): { fd: number; name: string } {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  for (let tries = 1; ; tries++) {
    const name = uniqueName();
    try {
      return { fd: openSync(toBuffer(`${dir}tmp/${name}`), O_WRONLY | O_CREAT | O_EXCL, 0o600), name };
    } catch (error) {
      if (errno(error) === "EEXIST" && tries < TRIES) continue;
      throw cannotEnter(dir) ? temporary("Unable to chdir to maildir. (#4.2.1)") : notNow();
    }
  }
}

/** time.pid.host, and from this process's second delivery on time.pid_N.host: maildir(5) wants it never twice. */
function uniqueName(): string {
  const seconds = Math.floor(Date.now() / 1000);
  const nth = count++ === 0 ? "" : `_${count}`;
  return `${seconds}.${process.pid}${nth}.${host()}`;
}

/** gethostname(2), cut as qmail-local cuts it. */
function host(): string {
  return fromText(hostname()).slice(0, 63);
}

/** Would chdir(2) fail, and not just for now? */
function cannotEnter(dir: string): boolean {
  try {
    accessSync(toBuffer(`${dir}.`), constants.X_OK);
    return false;
  } catch (error) {
    return !isTemporary(error);
  }
}

function remove(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch {
    // maildir readers take it away after 36 hours
  }
}
