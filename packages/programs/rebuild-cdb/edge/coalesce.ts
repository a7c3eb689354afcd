import { fstatSync, fsyncSync, statSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Trouble } from "@qmail-mysql/trouble";
import { type FileLock, lockFile } from "./file-lock.ts";

const INTERVAL_MS = 1000; // between two starts, on all hosts together
const RUN_SECONDS = 20; // for which the waiting caller waits for the running one
const WAITER_SECONDS = RUN_SECONDS + INTERVAL_MS / 1000 + 1; // the longest time of a waiter
const SUSPECT_MS = 60_000; // age above which a waiter is checked; larger than the clock difference between hosts

/**
 * Coalesces callers: one runs, one waits, later ones return undefined at once because the waiter will see their change.
 * The locks and the time of the last start are in files next to `path`. The time is that of the file server, so hosts
 * that share the directory share the interval whatever their clocks. Throws Trouble if a lock is held for longer than
 * a run can take.
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

/** The lock of a waiter if that has held it too long; undefined otherwise. */
function overdue(path: string): FileLock | undefined {
  if (Date.now() - statSync(path).mtimeMs < SUSPECT_MS) return undefined;
  const waiter = lockFile(path, WAITER_SECONDS);
  if (!waiter) throw busy(path, WAITER_SECONDS);
  return waiter;
}

const busy = (path: string, seconds: number) =>
  new Trouble(`unable to lock ${path}: another process has held it for more than ${seconds} seconds`);

/** The time of the file server, in milliseconds. */
function touch(fd: number): number {
  writeSync(fd, "\n", 0);
  fsyncSync(fd);
  return fstatSync(fd).mtimeMs;
}
