import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import { Failure, temporary } from "@qmail-mysql/delivery";
import { flock, writeAll } from "@qmail-mysql/process";
import { reason } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

const LOCK_SECONDS = 30; // mailfile() in qmail-local.c

/**
 * Appends `text` to an mbox, piece by piece, and syncs it; on an error the file is truncated to its old size. The file
 * is locked meanwhile, and created if it does not exist. Throws Failure.
 */
export function deliverToMbox(file: string, text: Iterable<string>): void {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
  let fd: number;
  try {
    fd = openSync(toBuffer(file), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
  } catch (error) {
    throw temporary(`Unable to open ${file}: ${reason(error)}. (#4.2.1)`);
  }
  try {
    const locked = flock(fd, LOCK_SECONDS);
    if (locked === "busy") throw temporary("File has been locked for 30 seconds straight. (#4.3.0)");
    const { size } = fstatSync(fd);
    try {
      for (const piece of text) writeAll(fd, piece);
      fsyncSync(fd);
    } catch (error) {
      if (locked === "locked") truncate(fd, size);
      throw error instanceof Failure
        ? error
        : temporary(`Unable to write ${file}: ${reason(error)}. (#4.3.0)`);
    }
  } finally {
    closeSync(fd);
  }
}

function truncate(fd: number, size: number): void {
  try {
    ftruncateSync(fd, size);
  } catch {
    // a pipe or a device, which cannot be truncated
  }
}
