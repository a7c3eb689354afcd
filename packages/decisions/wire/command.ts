import { lower } from "./bytes.ts";

export interface Command {
  /** ASCII lower case. */
  readonly verb: string;
  /** What follows the first spaces, including later blanks: a password may contain them. */
  readonly arg: string;
}

/** Parses a line without its LF as commands.c of qmail does: a final CR is dropped, a NUL ends the line. */
export function parseCommand(line: string): Command {
  const [text = ""] = (line.endsWith("\r") ? line.slice(0, -1) : line).split("\0", 1);
  const space = text.indexOf(" ");
  if (space < 0) return { verb: lower(text), arg: "" };
  return { verb: lower(text.slice(0, space)), arg: text.slice(space).replace(/^ +/, "") };
}
