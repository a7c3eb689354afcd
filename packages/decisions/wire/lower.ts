/** ASCII lower case only, as qmail's case_lowers: Unicode's would turn a stranger's K (U+212A) into our k. */
export function lower(s: string): string {
  return s.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}
