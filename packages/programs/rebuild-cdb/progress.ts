import { isatty } from "node:tty";
import { writeAll } from "@qmail-mysql/process";

/** Shows the progress of a long rebuild, on a terminal only. */
export interface Progress {
  /** Counts one more row of `what`. */
  row(what: string): void;
  /** Clears the line. */
  done(): void;
}

const EVERY = 4096; // rows between checks of the clock
const PAUSE = 100; // milliseconds between updates of the line
const CLEAR = "\r\x1b[K";

export function progress(program: string): Progress {
  if (!isatty(2)) return { row: () => {}, done: () => {} };
  let [what, rows, shownAt, shown] = ["", 0, performance.now(), false];
  return {
    row(of) {
      if (of !== what) [what, rows] = [of, 0];
      if (++rows % EVERY !== 0 || performance.now() - shownAt < PAUSE) return;
      shownAt = performance.now();
      shown = true;
      writeAll(2, `${CLEAR}${program}: ${what}: ${rows} rows`);
    },
    done() {
      if (shown) writeAll(2, CLEAR);
      shown = false;
    },
  };
}
