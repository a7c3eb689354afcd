/** A command from qmail-send: spawn.c. Byte strings. */
export interface Command {
  readonly delnum: number;
  readonly messid: string;
  readonly sender: string;
  readonly recipient: string;
  /** A field was above the limit. */
  readonly tooLong: boolean;
}

/** The number of bytes of a delivery number; with the big-concurrency patch it is 2, low byte first. */
export type Width = 1 | 2;

const FIELD_LIMIT = 1 << 20; // bytes; qmail-queue takes addresses of 1002

/** Extracts commands from a stream, however it is divided. */
export function commandReader(width: Width): (chunk: string) => Command[] {
  let head = "";
  let fields: string[] = [];
  let field = "";
  let tooLong = false;
  return (chunk) => {
    const commands: Command[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (head.length < width) {
        head += chunk[at++];
        continue;
      }
      const nul = chunk.indexOf("\0", at);
      const end = nul < 0 ? chunk.length : nul;
      if (field.length + end - at > FIELD_LIMIT) {
        tooLong = true;
        field = "";
      } else field += chunk.slice(at, end);
      at = end + 1;
      if (nul < 0) break;
      fields.push(field);
      field = "";
      if (fields.length < 3) continue;
      const [messid = "", sender = "", recipient = ""] = fields;
      commands.push({ delnum: number(head), messid, sender, recipient, tooLong });
      head = "";
      fields = [];
      tooLong = false;
    }
    return commands;
  };
}

/** A delivery number as qmail-send writes and reads it. */
export function encodeNumber(n: number, width: Width): string {
  return width === 1 ? String.fromCharCode(n) : String.fromCharCode(n & 255, n >> 8);
}

function number(head: string): number {
  return head.charCodeAt(0) + (head.length > 1 ? head.charCodeAt(1) * 256 : 0);
}

/** Why a command is refused, with the texts and the order of checks of spawn.c; undefined if it is accepted. */
export function objection(
  { delnum, messid, recipient, tooLong }: Command,
  limit: number,
  busy: (delnum: number) => boolean,
): string | undefined {
  if (tooLong) return "Zqmail-spawn out of memory. (#4.3.0)\n";
  if (delnum >= limit) return "ZInternal error: delnum too big. (#4.3.5)\n";
  if (busy(delnum)) return "ZInternal error: delnum in use. (#4.3.5)\n";
  if (/[^0-9/]/.test(messid) || messid.startsWith("/")) {
    return "DInternal error: messid has nonnumerics. (#5.3.5)\n";
  }
  if (messid.length + 1 > 100) return "DInternal error: messid too long. (#5.3.5)\n";
  if (messid === "") return "DInternal error: messid too short. (#5.3.5)\n";
  if (!recipient.includes("@")) return "DSorry, address must include host name. (#5.1.3)\n";
  return undefined;
}
