import { accessSync, closeSync, constants, fsyncSync, linkSync, openSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { Failure, temporary } from "@qmail-mysql/delivery";
import { writeAll } from "@qmail-mysql/process";
import { errno, isTemporary } from "@qmail-mysql/trouble";
import { fromText, toBuffer } from "@qmail-mysql/wire";

const TRIES = 3;
const LIMIT = 86_400_000; // milliseconds, as the alarm of stock qmail-local

let deliveries = 0;

/**
 * Delivers to a maildir (its path ends with a slash): maildir(5). `head` is written before the message, whose bytes are
 * not changed. The file appears in new/ only when it is complete and synced. Throws Failure.
 */
export function deliverToMaildir(
  dir: string,
  head: string,
  message: Iterable<Uint8Array>,
  newName = uniqueName,
): void {
  const end = performance.now() + LIMIT;
  const { fd, path } = create(dir, newName);
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
    const arrived = withNewName(newName, (name) => {
      const to = toBuffer(`${dir}new/${name}`);
      linkSync(path, to);
      return to;
    });
    syncOrRemove(`${dir}new`, arrived);
  } catch (error) {
    throw error instanceof Failure ? error : temporaryError();
  } finally {
    remove(path);
  }
}

/** What is reported as failed will be delivered again: it is not left in new/. */
function syncOrRemove(dir: string, file: Buffer): void {
  try {
    sync(openToSync(dir, file));
  } catch (error) {
    remove(file);
    throw error;
  }
}

/** A directory that we may not read cannot be synced; Linux writes a file's new name with the file. */
function openToSync(dir: string, file: Buffer): number {
  try {
    return openSync(toBuffer(dir), constants.O_RDONLY);
  } catch (error) {
    if (errno(error) !== "EACCES") throw error;
    return openSync(file, constants.O_RDONLY);
  }
}

// fsync(2) of a directory on a file system that has no such thing
const NO_SYNC = ["EINVAL", "ENOTSUP", "EOPNOTSUPP"];

/** Syncs what is open, so that a new entry survives a power failure, and closes it. */
function sync(fd: number): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!NO_SYNC.includes(errno(error) ?? "")) throw error;
  } finally {
    closeSync(fd);
  }
}

const temporaryError = () => temporary("Temporary error on maildir delivery. (#4.3.0)");

function create(dir: string, newName: () => string): { fd: number; path: Buffer } {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  try {
    return withNewName(newName, (name) => {
      const path = toBuffer(`${dir}tmp/${name}`);
      return { fd: openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o600), path };
    });
  } catch {
    throw cannotEnter(dir) ? temporary("Unable to chdir to maildir. (#4.2.1)") : temporaryError();
  }
}

/** Calls `make` with a new name; if it exists, repeats with another, TRIES times at most. */
function withNewName<T>(newName: () => string, make: (name: string) => T): T {
  for (let tries = 1; ; tries++) {
    try {
      return make(newName());
    } catch (error) {
      if (errno(error) !== "EEXIST" || tries === TRIES) throw error;
    }
  }
}

/**
 * time.M<microseconds>P<pid>Q<deliveries>.host: maildir(5). The pid alone is not unique: it stays the same after
 * execve(2).
 */
function uniqueName(): string {
  const now = Date.now();
  const microseconds = (now % 1000) * 1000 + (Math.floor(performance.now() * 1000) % 1000);
  return `${Math.floor(now / 1000)}.M${microseconds}P${process.pid}Q${++deliveries}.${host()}`;
}

/** gethostname(2), truncated as in stock qmail-local. */
function host(): string {
  return fromText(hostname()).slice(0, 63);
}

/** Would chdir(2) fail with a permanent error? */
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
    // programs that read maildirs remove files in tmp/ after 36 hours
  }
}
