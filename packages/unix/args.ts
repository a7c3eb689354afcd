import { readFileSync } from "node:fs";
import { fromText } from "@qmail-mysql/wire";

/**
 * The program's arguments as byte strings. The runtime decodes argv as UTF-8 and replaces what is not;
 * only then are the true bytes read from /proc.
 */
export function args(): string[] {
  const own = process.argv.slice(2);
  if (!own.some((arg) => arg.includes("\ufffd"))) return own.map(fromText);
  const all = readFileSync("/proc/self/cmdline", "latin1").split("\0").slice(0, -1);
  return all.slice(all.length - own.length);
}

/** The name we were called by: the last component of argv[0], or of the script under Node. */
export function calledAs(): string {
  const path = process.versions.bun === undefined ? (process.argv[1] ?? "") : process.argv0;
  return path.slice(path.lastIndexOf("/") + 1);
}
