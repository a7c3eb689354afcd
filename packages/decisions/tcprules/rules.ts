/** The output of the compiler, for example a cdb writer. */
export interface Records {
  add(key: string, data: string): void;
}

/** A line that tcprules refuses; the message is the line up to a NUL, as tcprules prints it. */
export class RuleError extends Error {
  constructor(line: string) {
    super(line.split("\0", 1)[0]);
  }
}

/** Compiles the text of a rules file, as tcprules does. Of several rules for an address the first is used. */
export function compileRules(text: string, records: Records): void {
  for (const line of text.split("\n")) compileRule(line, records);
}

/**
 * Compiles one line, without its line end:
 *
 *     1.2.3.37-39:allow,RELAYCLIENT="",X=/a/   one record each for 1.2.3.37, 1.2.3.38, 1.2.3.39
 *
 * Comments and lines without a colon are ignored. Throws RuleError.
 */
export function compileRule(raw: string, records: Records): void {
  if (raw.startsWith("#")) return;
  const line = raw.replace(/[ \t\n]+$/, "");
  const colon = line.indexOf(":");
  if (colon < 0) return;
  const data = instructions(line.slice(colon + 1), line);
  for (const address of addresses(line.slice(0, colon), line)) records.add(address, data);
}

/** `D` for deny, then `+NAME=VALUE` for each variable, each ended by NUL. */
function instructions(text: string, line: string): string {
  const verb = ["deny", "allow"].find((word) => text.startsWith(word));
  if (verb === undefined) throw new RuleError(line);
  let data = verb === "deny" ? "D\0" : "";
  for (let at = verb.length; at < text.length; ) {
    // ,NAME=qVALUEq where q is any character
    const equal = text[at] === "," ? text.indexOf("=", at) : -1;
    const quote = text[equal + 1];
    const end = equal < 0 || quote === undefined ? -1 : text.indexOf(quote, equal + 2);
    if (end < 0) throw new RuleError(line);
    data += `+${text.slice(at + 1, equal)}=${text.slice(equal + 2, end)}\0`;
    at = end + 1;
  }
  return data;
}

const MAX = 255n; // a part of an IPv4 address

/** The address, or each address of a range n-m. =host and info@ip have no ranges. */
function addresses(address: string, line: string): string[] {
  const dash = /[=@]/.test(address) ? -1 : address.indexOf("-");
  if (dash < 0) return [address];
  const left = address.lastIndexOf(".", dash) + 1;
  const dot = address.indexOf(".", dash);
  const right = dot < 0 ? address.length : dot;
  const [from, to] = [number(address.slice(left, dash), line), number(address.slice(dash + 1, right), line)];
  const range: string[] = [];
  for (let n = from; n <= to && n <= MAX; n++) {
    range.push(`${address.slice(0, left)}${n}${address.slice(right)}`);
  }
  return range;
}

/** A number modulo 2^64, up to a NUL, as in tcprules. */
function number(text: string, line: string): bigint {
  const [digits = ""] = text.split("\0", 1);
  if (!/^\d*$/.test(digits)) throw new RuleError(line);
  return BigInt.asUintN(64, BigInt(digits));
}
