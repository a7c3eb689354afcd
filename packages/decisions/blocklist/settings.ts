import { ControlError } from "@qmail-mysql/control";

/** One list of control/dnsbl, with the flags that stand before it. */
export interface Blocklist {
  /** It lists clients to refuse, else clients to accept. */
  readonly refuses: boolean;
  readonly zone: string;
  /** -b: refuse with 553 instead of 451. */
  readonly bounces: boolean;
  /** -c: a failed lookup refuses the client with 451. */
  readonly failsClosed: boolean;
}

export interface BlocklistSettings {
  /** In the order in which they are asked. */
  readonly lists: readonly Blocklist[];
  /** Seconds after which the connection of a refused client is closed. */
  readonly timeout: number;
}

const TIMEOUT = 60;
const MAX_LISTS = 32;

/**
 * Parses control/dnsbl: each line is an option of rblsmtpd, `-b`, `-B`, `-c`, `-C`, `-t seconds`, `-r zone` or
 * `-a zone`. Blank lines and lines with # at the beginning are ignored. Throws ControlError.
 */
export function parseBlocklists(text: string, file: string): BlocklistSettings {
  const lists: Blocklist[] = [];
  let timeout = TIMEOUT;
  const flags = { bounces: false, failsClosed: false };
  for (const [i, line] of text.split("\n").entries()) {
    const wrong = (expected: string) => new ControlError(`${file} line ${i + 1}: expected ${expected}`);
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [, option = "", rest = ""] = /^-([bBcCtra])\s*(.*)$/s.exec(trimmed) ?? [];
    if (option === "") throw wrong("an option of rblsmtpd, -b -B -c -C -t -r or -a");
    if ("bBcC".includes(option)) {
      if (rest !== "") throw wrong("one option in each line");
      if (option === "b" || option === "B") flags.bounces = option === "b";
      else flags.failsClosed = option === "c";
    } else if (option === "t") {
      if (!/^\d{1,6}$/.test(rest)) throw wrong("-t and a number of seconds");
      timeout = Number(rest);
    } else {
      if (!/^[A-Za-z0-9_.-]{1,200}$/.test(rest)) throw wrong(`-${option} and the name of a zone`);
      if (lists.length === MAX_LISTS) throw wrong(`at most ${MAX_LISTS} zones`);
      lists.push({ refuses: option === "r", zone: rest, ...flags });
    }
  }
  return { lists, timeout };
}
