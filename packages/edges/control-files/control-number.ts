import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errno, reason } from "@qmail-mysql/trouble";

/**
 * The number in line 1 of control/`name`; `fallback` if the file does not exist. A file that cannot be read or is
 * invalid does not prevent service: `warn` is called and `fallback` is returned.
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
