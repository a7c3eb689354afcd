import { accessSync, closeSync, constants, fsyncSync, linkSync, openSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { Failure, temporary } from "@qmail-mysql/delivery";
import { writeAll } from "@qmail-mysql/process";
import { errno, isTemporary } from "@qmail-mysql/trouble";
import { fromText, toBuffer } from "@qmail-mysql/wire";

const TRIES = 3;
const LIMIT = 86_400_000; // milliseconds; qmail-local's alarm

let deliveries = 0;

/**
 * Delivers to a maildir (its path ends with a slash): maildir(5). `head` is written before the message, whose
 * bytes are not changed. In new/ there is either all of it, synced, or nothing. Throws Failure.
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
    withNewName(newName, (name) => linkSync(path, toBuffer(`${dir}new/${name}`)));
    syncDirectory(`${dir}new`);
  } catch (error) {
    throw error instanceof Failure ? error : temporaryError();
  } finally {
    remove(path);
  }
}

/** Syncs a directory, so that a new entry survives a power failure, where the file system can. */
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

/** Repeats `make` with another name while the name exists, TRIES times. */
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
 * time.M<microseconds>P<pid>Q<deliveries>.host: maildir(5). The pid alone does not do: a program keeps it when it
 * becomes another by execve(2).
 */
function uniqueName(): string {
  const now = Date.now();
  const microseconds = (now % 1000) * 1000 + (Math.floor(performance.now() * 1000) % 1000);
  return `${Math.floor(now / 1000)}.M${microseconds}P${process.pid}Q${++deliveries}.${host()}`;
}

/** gethostname(2), cut as qmail-local cuts it. */
function host(): string {
  return fromText(hostname()).slice(0, 63);
}

/** Would chdir(2) fail, and with a permanent error? */
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
    // maildir readers remove it after 36 hours
  }
}
