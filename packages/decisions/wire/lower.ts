/** Lower case for ASCII only, as case_lowers in qmail: Unicode's would convert the Kelvin sign (U+212A) to k. */
export function lower(s: string): string {
  return s.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}
