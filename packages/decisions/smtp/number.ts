/** The number at the beginning of a text, as scan_ulong of qmail reads it; undefined if there is none. */
function leading(text: string): bigint | undefined {
  const digits = /^[0-9]+/.exec(text)?.[0];
  return digits === undefined ? undefined : BigInt(digits);
}

/** The seconds of control/timeoutsmtpd, at least 1; undefined if it is no number. */
export function timeoutOf(text: string): number | undefined {
  const number = leading(text);
  return number === undefined ? undefined : Math.max(1, Number(BigInt.asIntN(32, number))); // an int of C
}

/** The largest message in bytes according to control/databytes; undefined if it is no number. */
export function dataBytesOf(text: string): number | undefined {
  const number = leading(text);
  if (number === undefined) return undefined;
  return Math.min(Number(BigInt.asUintN(32, number)), 0xffff_fffe); // an unsigned int of C, plus 1
}
