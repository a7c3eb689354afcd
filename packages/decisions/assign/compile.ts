import { lower } from "@qmail-mysql/wire";

/** The output of the compiler, for example a cdb writer. */
export interface Records {
  add(key: string, data: string): void;
}

/** A line of users/assign that qmail-newu refuses. */
export class AssignError extends Error {}

export interface AssignCompiler {
  /** Compiles one line, without its line end. Throws AssignError. */
  line(line: string): void;
  /** Adds a line that is already split: its local part in lower case, its six fields separated by NUL. */
  record(kind: "=" | "+", local: string, fields: string): void;
  /** Adds the last record: the characters in which the local parts of + lines end, for qmail-lspawn. */
  finish(): void;
}

const FIELDS = 6; // user uid gid home dash ext, each ended by a colon

/** Compiles lines of users/assign into the records of users/cdb, as qmail-newu does. qmail-users(5). */
export function assignCompiler(records: Records): AssignCompiler {
  let lastCharacters = "";
  // qmail-newu keeps the case of this character, although qmail-lspawn looks for the lower-case one.
  const note = (local: string) => {
    const last = local.slice(-1);
    if (!lastCharacters.includes(last)) lastCharacters += last;
  };
  return {
    record(kind, local, data) {
      records.add(kind === "+" ? `!${local}` : `!${local}\0`, data);
      if (kind === "+") note(local);
    },
    line(line) {
      const colon = line.indexOf(":");
      if (colon < 1) throw new AssignError("expected =local: or +local: first");
      if (line.includes("\0")) throw new AssignError("holds a NUL");
      const local = line.slice(1, colon);
      records.add(line.startsWith("+") ? `!${lower(local)}` : `!${lower(local)}\0`, fields(line, colon + 1));
      if (line.startsWith("+")) note(local);
    },
    finish: () => records.add("", lastCharacters),
  };
}

/** Compiles the text of users/assign up to the line that begins with a dot. Throws AssignError with the line number. */
export function compileAssign(text: string, records: Records): void {
  const compiler = assignCompiler(records);
  let number = 0;
  for (let at = 0; text[at] !== "."; ) {
    number++;
    const end = text.indexOf("\n", at);
    try {
      if (end < 0) throw new AssignError(at < text.length ? "has no line end" : "expected a line with a dot");
      compiler.line(text.slice(at, end));
    } catch (error) {
      throw error instanceof AssignError ? new AssignError(`line ${number}: ${error.message}`) : error;
    }
    at = end + 1;
  }
  compiler.finish();
}

/** Six fields separated by NUL; the last colon and what follows it are not stored. */
function fields(line: string, from: number): string {
  let data = "";
  let at = from;
  for (let field = 1; ; field++) {
    const colon = line.indexOf(":", at);
    if (colon < 0) throw new AssignError(`expected ${FIELDS} fields, each ended by a colon`);
    data += line.slice(at, colon);
    if (field === FIELDS) return data;
    data += "\0";
    at = colon + 1;
  }
}
