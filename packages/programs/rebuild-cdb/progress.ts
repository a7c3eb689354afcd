import { isatty } from "node:tty";
import { writeAll } from "@qmail-mysql/process";

/** Shows how far a long build is, on a terminal and nowhere else. */
export interface Progress {
  /** One more row of `what`. */
  row(what: string): void;
  /** Takes the line away. */
  done(): void;
}

const EVERY = 4096; // rows between looks at the clock
const PAUSE = 100; // milliseconds between two pictures
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
