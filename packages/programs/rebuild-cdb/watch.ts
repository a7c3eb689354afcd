import type { Version } from "@qmail-mysql/database";
import { say } from "@qmail-mysql/process";
import { stamps } from "./edge/stamps.ts";

/** The work that is repeated. */
export interface Work {
  /** Opens the source; retried on failure. */
  open(): Promise<Source>;
}

export interface Source {
  version(): Promise<Version>;
  /** Does the work once; returns the milliseconds after which it is due again even without a change. */
  run(): Promise<number>;
  close(): Promise<void>;
}

const EVERY = 900; // milliseconds between checks, so that a change is noticed within a second
const LEAST = 200; // milliseconds
const LONGEST_WAIT = 5000; // milliseconds between retries after an error

/**
 * Does the work now, and again whenever the version of the database or one of `files` changes, until SIGTERM or SIGINT.
 * An error is reported once and retried. The pause is at least as long as the work took.
 */
export async function watch(program: string, work: Work, files: readonly string[]): Promise<void> {
  const stop = stopper();
  let wait = EVERY;
  let lastWarning = "";
  while (!stop.asked()) {
    let source: Source | undefined;
    try {
      source = await work.open();
      for (let seen: Seen | undefined; !stop.asked(); ) {
        const started = performance.now();
        const now = { version: await source.version(), files: stamps(files) };
        let rest = EVERY;
        if (seen === undefined || differs(seen, now)) {
          seen = { ...now, due: performance.now() + Math.max(await source.run(), LEAST) };
          rest = Math.max(EVERY, performance.now() - started);
        }
        [wait, lastWarning] = [EVERY, ""];
        await stop.sleep(rest);
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== lastWarning) say(`${program}: warning: ${text}; trying again`);
      lastWarning = text;
      await stop.sleep(wait);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    } finally {
      await source?.close();
    }
  }
}

interface State {
  readonly version: Version;
  readonly files: string;
}
type Seen = State & { readonly due: number };

function differs(before: Seen, now: State): boolean {
  return (
    !before.version.settled ||
    before.version.text !== now.version.text ||
    before.files !== now.files ||
    performance.now() > before.due
  );
}

function stopper() {
  let asked = false;
  let wake = () => {};
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      asked = true;
      wake();
    });
  }
  return {
    asked: () => asked,
    sleep: (ms: number) =>
      new Promise<void>((resolve) => {
        if (asked) return resolve();
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
