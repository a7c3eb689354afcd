import { SOFT } from "./exit.ts";

/** A temporary error: the program exits with its code for trouble, 111 unless it has one of its own. */
export class Trouble extends Error {}

/** Ends a program with this exit code and the message on descriptor 2. */
export class Die extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Wrong usage; the message is the correct usage. */
export class Usage extends Die {}

/**
 * The exit code and the line for an error. Anything but a Die, including an internal error, is trouble, with the code
 * `soft`. Never a stack trace.
 */
export function verdict(program: string, error: unknown, soft = SOFT): { code: number; line: string } {
  const text = (error instanceof Error ? error.message : String(error))
    .replace(/[\0-\x1f\x7f]+/g, " ")
    .trim();
  if (error instanceof Usage) return { code: error.code, line: `${program}: usage: ${text}\n` };
  return { code: error instanceof Die ? error.code : soft, line: `${program}: fatal: ${text}\n` };
}
