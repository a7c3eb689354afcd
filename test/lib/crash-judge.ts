import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { placeOf } from "./crash-users.ts";
import type { Attempt, Delivery } from "./qmail-send.ts";

/** The pids of the killed workers and of the killed qmail-lspawn. */
export interface Killed {
  readonly workers: Set<number>;
  readonly spawners: Set<number>;
}

export interface Findings {
  /** Violations. */
  readonly wrong: readonly string[];
  /** Each delivery with several copies, and the reason. */
  readonly doubled: readonly string[];
  /** Number of attempts without a report, and with the report of a crash. */
  readonly unreported: number;
  readonly crashed: number;
}

interface Copy {
  readonly file: string;
  readonly text: string;
  /** The pid of the process that delivered, if it is in the file's name. */
  readonly pid: number | undefined;
}

const CRASHED = "Zqmail-local crashed.\n";
const UNKNOWN =
  "ZUnable to get the exit code of qmail-local: the message may have been delivered. (#4.3.0)\n";

/**
 * Compares every copy with the attempt that made it. An attempt reported as a success made one copy, one reported as a
 * deferral none; if the process that delivered was killed, or no process was left to receive its report or exit code,
 * there may be one or none. `ofWorkers`: the names of files contain the pids of those processes.
 */
export function judge(
  deliveries: readonly Delivery[],
  homes: readonly string[],
  { workers, spawners }: Killed,
  ofWorkers: boolean,
): Findings {
  const copies = readCopies(homes);
  const wrong: string[] = [];
  const doubled: string[] = [];
  let unreported = 0;
  let crashed = 0;

  /**
   * Why an attempt that was not successful may have made this copy; undefined if it may not. An attempt is without a
   * report when its qmail-lspawn was killed; its worker, which may have been forked after that, finishes the delivery.
   */
  function explain({ pid, report }: Attempt, copy: Copy): string | undefined {
    if (report === undefined) {
      return spawners.has(pid) ? `qmail-lspawn ${pid} was killed before it reported ${copy.file}` : undefined;
    }
    if (report === UNKNOWN) return `the fork server was killed before qmail-local ended: ${copy.file}`;
    if (report !== CRASHED || workers.size === 0) return undefined;
    if (ofWorkers && copy.pid !== undefined && !workers.has(copy.pid)) return undefined;
    return `its process was killed after ${copy.file} was in place`;
  }

  for (const { recipient, text, attempts } of deliveries) {
    const place = join(placeOf(recipient, homes), "new/");
    const why: string[] = [];
    let total = 0;
    for (const [i, attempt] of attempts.entries()) {
      const { sender, report } = attempt;
      const made = copies.get(sender) ?? [];
      copies.delete(sender);
      total += made.length;
      const isSuccess = report?.startsWith("K") ?? false;
      const bad = (what: string) => wrong.push(`${sender}: reported ${JSON.stringify(report)}, ${what}`);
      if (isSuccess !== (i === attempts.length - 1)) bad("and given again, or not again");
      if (made.length > 1 || (isSuccess && made.length === 0)) bad(`${made.length} copies`);
      if (report === undefined) unreported++;
      if (report === CRASHED || report === UNKNOWN) crashed++;
      for (const copy of made) {
        if (copy.text !== `Return-Path: <${sender}>\nDelivered-To: ${recipient}\n${text}`) {
          bad(`and ${copy.file} is not the message`);
        }
        if (!copy.file.startsWith(place)) bad(`and ${copy.file} is not in ${place}`);
        const reason = isSuccess ? "it was reported" : explain(attempt, copy);
        if (reason === undefined) bad(`and yet there is ${copy.file}`);
        else why.push(reason);
      }
    }
    if (total === 0) wrong.push(`${recipient}: lost after ${attempts.length} attempts`);
    if (total > 1) doubled.push(`${recipient}: ${why.join("; ")}`);
  }
  for (const sender of copies.keys()) wrong.push(`nobody asked for the copies from ${sender}`);
  return { wrong, doubled, unreported, crashed };
}

/** All files in all new/, by sender. */
function readCopies(homes: readonly string[]): Map<string, Copy[]> {
  const copies = new Map<string, Copy[]>();
  for (const dir of homes.flatMap((home) => [join(home, "Maildir/new"), join(home, "Sales/new")])) {
    for (const name of readdirSync(dir)) {
      const file = join(dir, name);
      const text = readFileSync(file, "latin1");
      const sender = /^Return-Path: <(.*)>\n/.exec(text)?.[1] ?? "";
      const pid = /^\d+\.(?:M\d+P)?(\d+)[._Q]/.exec(name)?.[1]; // stock's time.pid.host, and ours
      const copy = { file, text, pid: pid === undefined ? undefined : Number(pid) };
      copies.set(sender, [...(copies.get(sender) ?? []), copy]);
    }
  }
  return copies;
}
