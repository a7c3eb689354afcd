import { HARD, SOFT } from "@qmail-mysql/trouble";
import { nulEnded } from "@qmail-mysql/wire";
import { Failure, type FailureCode } from "./failure.ts";
import type { Ended } from "./program-exit.ts";

/** What qmail-queue(8) reads from its descriptor 1. */
export function envelope(sender: string, recipients: readonly string[]): string {
  return `${nulEnded([`F${sender}`, ...recipients.map((recipient) => `T${recipient}`)])}\0`;
}

// qmail.c of notqmail
const TEXTS: Readonly<Record<number, string>> = {
  11: "envelope address too long for qq (#5.1.3)",
  115: "envelope address too long for qq (#5.1.3)",
  31: "mail server permanently rejected message (#5.3.0)",
  51: "qq out of memory (#4.3.0)",
  52: "qq timeout (#4.3.0)",
  53: "qq write error or disk full (#4.3.0)",
  54: "qq read error (#4.3.0)",
  55: "qq unable to read configuration (#4.3.0)",
  56: "qq trouble making network connection (#4.3.0)",
  61: "qq trouble in home directory (#4.3.0)",
  62: "qq trouble creating files in queue (#4.3.0)",
  63: "qq trouble creating files in queue (#4.3.0)",
  64: "qq trouble creating files in queue (#4.3.0)",
  65: "qq trouble creating files in queue (#4.3.0)",
  66: "qq trouble creating files in queue (#4.3.0)",
  71: "mail server temporarily rejected message (#4.3.0)",
  72: "connection to mail server timed out (#4.4.1)",
  73: "connection to mail server rejected (#4.4.1)",
  74: "communication with mail server failed (#4.4.2)",
  81: "qq internal bug (#4.3.0)",
  91: "qq internal bug (#4.3.0)",
  120: "unable to exec qq (#4.3.0)",
};

const CUSTOM = 82;

/** Throws Failure unless qmail-queue accepted the mail. `custom` is what it wrote to descriptor 6. */
export function afterQueue({ code }: Ended, custom: string): void {
  if (code === 0) return;
  if (code === undefined) throw unforwarded(SOFT, "qq crashed (#4.3.0)");
  if (code === CUSTOM && custom.length > 2) {
    throw unforwarded(custom.startsWith("D") ? HARD : SOFT, custom.slice(1));
  }
  const hard = (code >= 11 && code <= 40) || code === 115;
  const other = hard ? "qq permanent problem (#5.3.0)" : "qq temporary problem (#4.3.0)";
  throw unforwarded(hard ? HARD : SOFT, TEXTS[code] ?? other);
}

export function unforwarded(code: FailureCode, why: string): Failure {
  return new Failure(code, `Unable to forward message: ${why}.`);
}
