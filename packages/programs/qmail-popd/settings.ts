import { ControlError, keyValues } from "@qmail-mysql/control";
import type { Limits } from "./choose.ts";

/** The settings of control/popd-settings: qmail-popd(8). */
export interface Settings extends Limits {
  /** Concurrent sessions of one login. */
  readonly perLogin: number;
  /** May passwords be sent without TLS over the network? */
  readonly inClear: boolean;
  /** A missing Maildir is created. */
  readonly create: boolean;
  /** System accounts may log in. */
  readonly system: boolean;
}

const WORKER = 4 << 20; // bytes that a worker takes
const SHARE = 8; // by default workers may use 1/8 of the memory
const MOST_WORKERS = 500; // by default

const NUMBERS = ["workers", "workers_per_uid", "sessions", "sessions_per_login", "spares", "idle"] as const;
const SWITCHES = ["clear_passwords", "create_maildir", "system_accounts"] as const;

/**
 * Parses control/popd-settings, for a machine with this `memory` in bytes and number of processors. Throws ControlError
 * with file, line and what was expected.
 */
export function parseSettings(text: string, file: string, memory: number, processors: number): Settings {
  const numbers = new Map<string, number>();
  const switches = new Map<string, boolean>();
  for (const { key, value, line } of keyValues(text, file)) {
    const at = `${file} line ${line}:`;
    if ((NUMBERS as readonly string[]).includes(key)) {
      if (!/^\d{1,6}$/.test(value)) throw new ControlError(`${at} ${key}: expected a number`);
      numbers.set(key, Number(value));
    } else if ((SWITCHES as readonly string[]).includes(key)) {
      if (value !== "yes" && value !== "no") throw new ControlError(`${at} ${key}: expected yes or no`);
      switches.set(key, value === "yes");
    } else throw new ControlError(`${at} unknown key`);
  }
  const atLeastOne = (key: (typeof NUMBERS)[number], usual: number): number => {
    const value = numbers.get(key) ?? usual;
    if (value < 1) throw new ControlError(`${file}: ${key}: expected a number from 1`);
    return value;
  };
  const most = Math.max(1, Math.min(MOST_WORKERS, Math.floor(memory / SHARE / WORKER)));
  const workers = atLeastOne("workers", most);
  return {
    workers,
    perUid: atLeastOne("workers_per_uid", processors),
    sessions: atLeastOne("sessions", 500),
    perLogin: atLeastOne("sessions_per_login", 20),
    spares: Math.min(numbers.get("spares") ?? 2, workers),
    idle: numbers.get("idle") ?? 60,
    inClear: switches.get("clear_passwords") ?? true,
    create: switches.get("create_maildir") ?? false,
    system: switches.get("system_accounts") ?? true,
  };
}
