import { Held } from "@qmail-mysql/accounts";
import type { Ended } from "@qmail-mysql/fork-server";
import {
  Die,
  QLX_CDB,
  QLX_EXECHARD,
  QLX_EXECPW,
  QLX_EXECSOFT,
  QLX_NFS,
  QLX_NOALIAS,
  QLX_NOMEM,
  QLX_ROOT,
  QLX_SYS,
  QLX_USAGE,
  reason,
} from "@qmail-mysql/trouble";

// Statuses with a fixed text (report() in qmail-lspawn.c); the output is ignored.
const TEXTS: Readonly<Record<number, string>> = {
  [QLX_USAGE]: "ZInternal qmail-lspawn bug.\n",
  [QLX_ROOT]: "ZNot allowed to perform deliveries as root.\n",
  [QLX_NFS]: "ZNFS failure in qmail-local.\n",
  [QLX_NOALIAS]: "ZUnable to find alias user!\n",
  [QLX_CDB]: "ZTrouble reading users/cdb in qmail-lspawn.\n",
  [QLX_SYS]: "ZTemporary failure in qmail-lspawn.\n",
  [QLX_NOMEM]: "ZOut of memory in qmail-lspawn.\n",
  [QLX_EXECSOFT]: "ZUnable to run qmail-local.\n",
  [QLX_EXECPW]: "ZUnable to run qmail-getpw.\n",
  [QLX_EXECHARD]: "DUnable to run qmail-local.\n",
};
const TEMPORARY = [71, 74, 75, 111];
export const OUTPUT_LIMIT = 3000; // spawn.c: truncreport
const KEPT = OUTPUT_LIMIT - 34;
const TOO_LONG = "\nError report too long, sorry.\n";

/**
 * The report for qmail-send, without the delivery number and the final NUL. `warnings` of the lookup are appended if
 * the mail is not delivered.
 */
export function report(ended: Ended, output: string, warnings: readonly string[] = []): string {
  const text = plainReport(ended, output);
  return text.startsWith("K") ? text : text + warnings.map(line).join("");
}

/** What qmail-send is told of an address whose lookup failed: qmail's own text, then the reason on a line of its own. */
export function lookupFailure(error: unknown): string {
  if (error instanceof Held) {
    return `${error.bounce ? "D" : "Z"}${printable(error.message)}. (#${error.bounce ? 5 : 4}.2.1)\n`;
  }
  const status = error instanceof Die ? error.code : QLX_SYS;
  return status === QLX_SYS ? `${TEXTS[QLX_SYS]}${line(reason(error))}` : report({ status }, "");
}

const line = (text: string) => `${printable(text)}\n`;

const LINE_LIMIT = 500; // characters

/** A text for the log of qmail-send, and for the bounce after the queue lifetime: without database accounts. */
function printable(text: string): string {
  return text
    .replace(/'[^']*'@'[^']*'/g, "the login")
    .replace(/[^ -~]/g, "?")
    .slice(0, LINE_LIMIT);
}

function plainReport(ended: Ended, output: string): string {
  if (ended === "unknown") {
    return "ZUnable to get the exit code of qmail-local: the message may have been delivered. (#4.3.0)\n";
  }
  if ("signal" in ended) return "Zqmail-local crashed.\n";
  const fixed = TEXTS[ended.status];
  if (fixed !== undefined) return fixed;
  const letter = ended.status === 0 ? "K" : TEMPORARY.includes(ended.status) ? "Z" : "D";
  const whole = output.length > OUTPUT_LIMIT ? `${output.slice(0, KEPT)}${TOO_LONG}` : output;
  const nul = whole.indexOf("\0");
  return letter + (nul < 0 ? whole : whole.slice(0, nul));
}
