import { HARD, SOFT } from "@qmail-mysql/trouble";
import { Failure, temporary } from "./failure.ts";

/** How a child ended. */
export interface Ended {
  readonly pid: number;
  /** Undefined if it was killed by a signal. */
  readonly code: number | undefined;
}

const STOP = 99; // qmail-command(8)
const PERMANENT = new Set([100, 112, 64, 65, 70, 76, 77, 78]);

/** What to do after a program. Throws Failure without a message: the output of the program is the message. */
export function afterProgram({ code }: Ended): "go on" | "stop" {
  if (code === undefined) throw temporary("Aack, child crashed. (#4.3.0)");
  if (code === 0) return "go on";
  if (code === STOP) return "stop";
  throw new Failure(PERMANENT.has(code) ? HARD : SOFT, "");
}
