import { fstatSync, fsyncSync, statSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Trouble } from "@qmail-mysql/trouble";
import { type FileLock, lockFile } from "./file-lock.ts";

const INTERVAL_MS = 1000; // from one start to the next, on all hosts together
const RUN_SECONDS = 20; // how long the caller that waits gives the one that runs
const WAITER_SECONDS = RUN_SECONDS + INTERVAL_MS / 1000 + 1; // no waiter waits longer than this
const SUSPECT_MS = 60_000; // a waiter older than this is looked at again; clocks of hosts differ by less

/**
 * Coalesces callers: one runs, one waits, later ones return at once (undefined) because the waiter will see
 * their change. The locks are on files beside `path`, as is the time of the last start, taken from the file
 * server: hosts that share the directory share the interval, whatever their clocks say. Throws Trouble when a
 * lock is held for longer than any run of this program holds it.
 */
export async function coalesce(path: string): Promise<FileLock | undefined> {
  const waiter = lockFile(`${path}.next`, 0) ?? overdue(`${path}.next`);
  if (!waiter) return undefined;
  try {
    touch(waiter.fd);
    const runner = lockFile(`${path}.lock`, RUN_SECONDS);
    if (!runner) throw busy(`${path}.lock`, RUN_SECONDS);
    const last = fstatSync(runner.fd);
    const age = last.size === 0 ? INTERVAL_MS : touch(waiter.fd) - last.mtimeMs;
    if (age < INTERVAL_MS) await sleep(Math.min(INTERVAL_MS - age, INTERVAL_MS));
    touch(runner.fd);
    return runner;
  } finally {
    waiter.release();
  }
}

/** The lock of a waiter that has been there too long to be one; undefined if it is a recent one's. */
function overdue(path: string): FileLock | undefined {
  if (Date.now() - statSync(path).mtimeMs < SUSPECT_MS) return undefined;
  const waiter = lockFile(path, WAITER_SECONDS);
  if (!waiter) throw busy(path, WAITER_SECONDS);
  return waiter;
}

const busy = (path: string, seconds: number) =>
  new Trouble(`unable to lock ${path}: another process has held it for more than ${seconds} seconds`);

/** The file server's time, in milliseconds. */
function touch(fd: number): number {
  writeSync(fd, "\n", 0);
  fsyncSync(fd);
  return fstatSync(fd).mtimeMs;
}
