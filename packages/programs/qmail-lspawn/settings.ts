import { ControlError, keyValues } from "@qmail-mysql/control";
import type { Limits } from "./choose.ts";
import type { Width } from "./command.ts";

/** The settings of control/lspawn-settings: qmail-lspawn(8). */
export interface Settings extends Limits {
  /** Concurrent deliveries, as announced to qmail-send. */
  readonly spawn: number;
  readonly delnumBytes: Width;
}

const CONF_SPAWN = 120; // qmail's own default
const MOST = { 1: 255, 2: 32_767 } as const; // maximum for a delivery number of this many bytes

const WORKER = 3 << 20; // bytes that a worker takes (bench/PROFILE.md)
const SHARE = 8; // by default workers may use 1/8 of the memory

/**
 * Parses control/lspawn-settings, for a machine with this `memory` in bytes. Throws ControlError with file, line and what
 * was expected.
 */
export function parseSettings(text: string, file: string, memory: number): Settings {
  const values = new Map<string, number>();
  for (const { key, value, line } of keyValues(text, file)) {
    if (!["spawn", "delnum_bytes", "workers", "spares", "idle"].includes(key)) {
      throw new ControlError(`${file} line ${line}: unknown key`);
    }
    if (!/^\d{1,6}$/.test(value)) throw new ControlError(`${file} line ${line}: ${key}: expected a number`);
    values.set(key, Number(value));
  }
  const delnumBytes = values.get("delnum_bytes") ?? 1;
  if (delnumBytes !== 1 && delnumBytes !== 2)
    throw new ControlError(`${file}: delnum_bytes: expected 1 or 2`);
  const spawn = values.get("spawn") ?? CONF_SPAWN;
  if (spawn < 1 || spawn > MOST[delnumBytes]) {
    throw new ControlError(`${file}: spawn: expected a number from 1 to ${MOST[delnumBytes]}`);
  }
  const workers = values.get("workers") ?? Math.max(1, Math.min(spawn, Math.floor(memory / SHARE / WORKER)));
  if (workers < 1) throw new ControlError(`${file}: workers: expected a number from 1`);
  return {
    spawn,
    delnumBytes,
    workers,
    spares: Math.min(values.get("spares") ?? 2, workers),
    idle: values.get("idle") ?? 60,
  };
}
