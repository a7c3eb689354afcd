import { readWhole } from "@qmail-mysql/native";

const OWN = "BUN_JSC_"; // options of our own runtime are no other program's

let entries: readonly string[] | undefined;

/**
 * The environment we were started with, NAME=value by NAME=value, as byte strings. To be asked once before
 * setuid(2), after which the system lets nobody but root read /proc/self/environ.
 */
export function environment(): readonly string[] {
  entries ??= readWhole("/proc/self/environ")
    .split("\0")
    .filter((entry) => entry !== "" && !entry.startsWith(OWN));
  return entries;
}
