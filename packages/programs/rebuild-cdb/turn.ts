import { fstatSync, fsyncSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Trouble } from "@qmail-mysql/trouble";
import { type FileLock, lockFile } from "./edge/file-lock.ts";

const APART = 1000; // milliseconds from one start to the next, on all hosts together
const PATIENCE = 20; // seconds for the work of the one before

/**
 * Waits for a turn at work that many ask for: one works, one waits, whoever comes then goes away, for the one
 * that waits has not looked at the database yet and will see whatever they would. Undefined: go away.
 * The locks are on files beside `path`, and so is the time of the last turn, so that hosts which share the
 * directory share the turns, whatever their clocks say.
 */
export async function waitForTurn(path: string): Promise<FileLock | undefined> {
  const next = lockFile(`${path}.next`, 0);
  if (!next) return undefined;
  try {
    const turn = lockFile(`${path}.lock`, PATIENCE);
    if (!turn)
      throw new Trouble(`unable to rebuild ${path}: another one has been at it for ${PATIENCE} seconds`);
    const last = fstatSync(turn.fd);
    const age = last.size === 0 ? APART : touch(next.fd) - last.mtimeMs;
    if (age < APART) await sleep(Math.min(APART - age, APART));
    touch(turn.fd);
    return turn;
  } finally {
    next.release();
  }
}

/** Has the file server say what time it is. */
function touch(fd: number): number {
  writeSync(fd, "\n", 0);
  fsyncSync(fd);
  return fstatSync(fd).mtimeMs;
}
