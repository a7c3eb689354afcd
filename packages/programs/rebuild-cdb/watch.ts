import type { Version } from "@qmail-mysql/database";
import { say } from "@qmail-mysql/process";
import { stamps } from "./edge/stamps.ts";

/** What watching needs of the work it repeats. */
export interface Work {
  /** Opens what it reads from; a failure is tried again. */
  open(): Promise<Source>;
}

export interface Source {
  version(): Promise<Version>;
  /** Does the work once; returns in how many milliseconds it is due again even if nothing changes. */
  run(): Promise<number>;
  close(): Promise<void>;
}

const EVERY = 900; // milliseconds between two looks: a change is seen within a second
const LEAST = 200; // milliseconds
const LONGEST_WAIT = 5000; // milliseconds between two tries with trouble

/**
 * Does the work now and again whenever the database's version or one of `files` changes, until SIGTERM or SIGINT.
 * Trouble is said once and tried again. It rests for at least as long as it worked.
 */
export async function watch(program: string, work: Work, files: readonly string[]): Promise<void> {
  const stop = stopper();
  let wait = EVERY;
  let said = "";
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
        [wait, said] = [EVERY, ""];
        await stop.sleep(rest);
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (text !== said) say(`${program}: warning: ${text}; trying again`);
      said = text;
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
