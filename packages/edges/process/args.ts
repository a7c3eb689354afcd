import { isBun, readWhole } from "@qmail-mysql/native";
import { fromText } from "@qmail-mysql/wire";

/**
 * The program's arguments as byte strings. The runtime decodes argv as UTF-8 and replaces invalid bytes; in that case
 * they are read from /proc.
 */
export function args(): string[] {
  const own = process.argv.slice(2);
  const text = own.join("\0");
  if (!text.includes("\ufffd")) return own.length === 0 ? [] : fromText(text).split("\0");
  const all = readWhole("/proc/self/cmdline").split("\0").slice(0, -1);
  return all.slice(all.length - own.length);
}

/** The name of the program: the last component of argv[0], or of the script under Node. */
export function calledAs(): string {
  const path = isBun() ? process.argv0 : (process.argv[1] ?? "");
  return path.slice(path.lastIndexOf("/") + 1);
}
