/** The instruction of a line of a .qmail file. */
export type Instruction =
  | { readonly kind: "maildir" | "mbox"; readonly name: string }
  | { readonly kind: "program"; readonly command: string }
  | { readonly kind: "forward"; readonly address: string }
  /** A line that is not allowed: nothing after it is carried out, and the mail is deferred. */
  | { readonly kind: "refuse"; readonly why: string };

/**
 * The instructions of a .qmail file, in order: dot-qmail(5). `forwardOnly` is the x bit of the file; a +list line has
 * the same effect on the lines that follow it.
 */
export function* instructions(text: string, forwardOnly: boolean): Generator<Instruction> {
  let restricted = forwardOnly;
  const lines = text.split("\n");
  if (text.endsWith("\n")) lines.pop();
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(/[ \t]+$/, "");
    if (isBlank(line) && index === 0) {
      yield { kind: "refuse", why: "Uh-oh: first line of .qmail file is blank. (#4.2.1)" };
    } else if (/^\+list(\0|$)/.test(line)) {
      restricted = true;
    } else {
      const asked = instruction(line);
      if (restricted && asked?.kind === "program") {
        yield { kind: "refuse", why: "Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)" };
      } else if (restricted && (asked?.kind === "maildir" || asked?.kind === "mbox")) {
        yield { kind: "refuse", why: "Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)" };
      } else if (asked) {
        yield asked;
      }
    }
  }
}

/** The instruction of one line without trailing blanks; undefined for a comment. */
export function instruction(line: string): Instruction | undefined {
  if (isBlank(line)) return undefined;
  switch (line[0]) {
    case "#":
    case "+":
      return undefined;
    case ".":
    case "/":
      return { kind: line.endsWith("/") ? "maildir" : "mbox", name: line };
    case "|":
      return { kind: "program", command: line.slice(1) };
    case "&":
      return { kind: "forward", address: line.slice(1) };
    default:
      return { kind: "forward", address: line };
  }
}

/** A line ends at a NUL, so one that begins with NUL is blank. */
function isBlank(line: string): boolean {
  return line === "" || line.startsWith("\0");
}

/** The text that qmail-local -n prints. */
export function describe(asked: Exclude<Instruction, { kind: "refuse" }>): string {
  switch (asked.kind) {
    case "program":
      return `program ${asked.command}`;
    case "forward":
      return `forward ${asked.address}`;
    default:
      return `${asked.kind} ${asked.name}`;
  }
}
