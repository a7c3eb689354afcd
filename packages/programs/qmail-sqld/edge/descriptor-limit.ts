import { readFileSync } from "node:fs";

/** How many descriptors this process may have: RLIMIT_NOFILE. */
export function descriptorLimit(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  } catch {
    return Infinity; // no Linux
  }
}
