import { Failure, temporary } from "./failure.ts";

/** How a child ended. */
export interface Ended {
  readonly pid: number;
  /** undefined: killed. */
  readonly code: number | undefined;
}

const STOP = 99; // qmail-command(8)
const HARD = new Set([100, 112, 64, 65, 70, 76, 77, 78]);

/** After a program of a .qmail file: go on, or stop there content. Throws Failure; what it said says why. */
export function afterProgram({ code }: Ended): "go on" | "stop" {
  if (code === undefined) throw temporary("Aack, child crashed. (#4.3.0)");
  if (code === 0) return "go on";
  if (code === STOP) return "stop";
  throw new Failure(HARD.has(code) ? 100 : 111, "");
}
