import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errno, reason } from "@qmail-mysql/trouble";

/**
 * A number in a file of its own, line 1 of control/`name`; `fallback` when there is no such file. A file that
 * cannot be read or says something else does not prevent service: `warn` is called, and `fallback` is returned.
 */
export function controlNumber(
  home: string,
  name: string,
  fallback: number,
  warn: (line: string) => void,
): number {
  const file = join(home, "control", name);
  try {
    const [line = ""] = readFileSync(file, "latin1").split("\n", 1);
    const value = line.trim();
    if (/^[0-9]{1,9}$/.test(value)) return Number(value);
    warn(`${file} is not used: expected a number on line 1`);
  } catch (error) {
    if (errno(error) !== "ENOENT") warn(`unable to read ${file}: ${reason(error)}`);
  }
  return fallback;
}
