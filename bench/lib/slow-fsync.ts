import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TOOLS } from "./load.ts";

// c/slow-fsync.h
const PROGRAMS = 64;
const NAME = 48;
const SIZE = 4 + NAME + 4 + 8 + 8; // state, name, padding, starts, calls

/** Delays every wait for the disk of a program, and counts the waits. */
export interface SlowFsync {
  readonly env: Readonly<Record<string, string>>;
  /** Number of waits of all programs started with `env`. */
  calls(): number;
}

/** `file` contains the counts; it is world-writable, since programs change their uid before they deliver. */
export function slowFsync(file: string, milliseconds: number): SlowFsync {
  writeFileSync(file, Buffer.alloc(PROGRAMS * SIZE));
  chmodSync(file, 0o666);
  return {
    env: {
      LD_PRELOAD: join(TOOLS, "slow-fsync.so"),
      SLOW_FSYNC_MS: `${milliseconds}`,
      SLOW_FSYNC_COUNTS: file,
    },
    calls() {
      const counts = readFileSync(file);
      let sum = 0;
      for (let at = SIZE - 8; at < counts.length; at += SIZE) sum += Number(counts.readBigUInt64LE(at));
      return sum;
    },
  };
}
