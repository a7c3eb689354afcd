import { lower } from "@qmail-mysql/wire";

export interface Command {
  /** ASCII lower case. */
  readonly verb: string;
  /** The rest after the first run of spaces, other blanks kept: a password may contain them. */
  readonly arg: string;
}

/** Reads a line without its LF as qmail's commands.c does: a CR before the LF is dropped, a NUL ends it. */
export function parseCommand(line: string): Command {
  const [text = ""] = (line.endsWith("\r") ? line.slice(0, -1) : line).split("\0", 1);
  const space = text.indexOf(" ");
  if (space < 0) return { verb: lower(text), arg: "" };
  return { verb: lower(text.slice(0, space)), arg: text.slice(space).replace(/^ +/, "") };
}
