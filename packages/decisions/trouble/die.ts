import { SOFT } from "./exit.ts";

/** A condition that may pass: the program ends with its code for trouble, 111 unless it has one of its own. */
export class Trouble extends Error {}

/** The end of a program with an exit code of its own, and the line it says on descriptor 2. */
export class Die extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Wrong usage: says what to type instead. */
export class Usage extends Die {}

/**
 * What an error means to our caller: exit code and line. A Die says so itself; anything else, our own bugs
 * included, is trouble, whose code is `soft`. Never a stack trace.
 */
export function verdict(program: string, error: unknown, soft = SOFT): { code: number; line: string } {
  const text = (error instanceof Error ? error.message : String(error))
    .replace(/[\0-\x1f\x7f]+/g, " ")
    .trim();
  if (error instanceof Usage) return { code: error.code, line: `${program}: usage: ${text}\n` };
  return { code: error instanceof Die ? error.code : soft, line: `${program}: fatal: ${text}\n` };
}
