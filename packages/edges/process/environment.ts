import { readWhole } from "@qmail-mysql/native";

const OWN = "BUN_JSC_"; // options of this runtime, not passed on to other programs

let entries: readonly string[] | undefined;

/**
 * The environment of this process at its start, each NAME=value a byte string. The first call must be before setuid(2),
 * after which only root can read /proc/self/environ.
 */
export function environment(): readonly string[] {
  entries ??= readWhole("/proc/self/environ")
    .split("\0")
    .filter((entry) => entry !== "" && !entry.startsWith(OWN));
  return entries;
}
