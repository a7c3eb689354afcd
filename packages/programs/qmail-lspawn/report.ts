/** How the process that delivered ended. */
export type Ended = { readonly status: number } | { readonly signal: string };

// qlx.h of qmail: statuses with a text of their own; the output is not looked at.
const TEXTS: Readonly<Record<number, string>> = {
  112: "ZInternal qmail-lspawn bug.\n",
  113: "ZNot allowed to perform deliveries as root.\n",
  115: "ZNFS failure in qmail-local.\n",
  116: "ZUnable to find alias user!\n",
  117: "ZTrouble reading users/cdb in qmail-lspawn.\n",
  118: "ZTemporary failure in qmail-lspawn.\n",
  119: "ZOut of memory in qmail-lspawn.\n",
  120: "ZUnable to run qmail-local.\n",
  121: "ZUnable to run qmail-getpw.\n",
  126: "DUnable to run qmail-local.\n",
};
const SOFT = [71, 74, 75, 111];
export const OUTPUT_LIMIT = 3000; // spawn.c: truncreport
const KEPT = OUTPUT_LIMIT - 34;
const TOO_LONG = "\nError report too long, sorry.\n";

/** What qmail-send is told, without the delivery's number and the NUL at the end. */
export function report(ended: Ended, output: string): string {
  if ("signal" in ended) return "Zqmail-local crashed.\n";
  const fixed = TEXTS[ended.status];
  if (fixed !== undefined) return fixed;
  const letter = ended.status === 0 ? "K" : SOFT.includes(ended.status) ? "Z" : "D";
  const whole = output.length > OUTPUT_LIMIT ? `${output.slice(0, KEPT)}${TOO_LONG}` : output;
  const nul = whole.indexOf("\0");
  return letter + (nul < 0 ? whole : whole.slice(0, nul));
}
