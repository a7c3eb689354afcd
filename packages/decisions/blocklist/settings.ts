/** One list, with the flags that stand before it. */
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
const ZONE = /^[A-Za-z0-9_.-]{1,200}$/;

/** Parses the options of rblsmtpd: -b -B -c -C -t seconds -r zone -a zone. Undefined if they are invalid. */
export function parseBlocklists(args: readonly string[]): BlocklistSettings | undefined {
  const lists: Blocklist[] = [];
  const flags = { bounces: false, failsClosed: false };
  let timeout = TIMEOUT;
  for (let at = 0; at < args.length; at++) {
    const [, letters = "", option = "", attached = ""] =
      /^-([bBcC]*)([tra]?)(.*)$/s.exec(args[at] ?? "") ?? [];
    for (const letter of letters) {
      if (letter === "b" || letter === "B") flags.bounces = letter === "b";
      else flags.failsClosed = letter === "c";
    }
    if (option === "") {
      if (letters === "" || attached !== "") return undefined;
      continue;
    }
    const value = attached || (args[++at] ?? "");
    if (option === "t") {
      if (!/^\d{1,6}$/.test(value)) return undefined;
      timeout = Number(value);
    } else {
      if (!ZONE.test(value) || lists.length === MAX_LISTS) return undefined;
      lists.push({ refuses: option === "r", zone: value, ...flags });
    }
  }
  return { lists, timeout };
}
