import { readdirSync } from "node:fs";
import { proc } from "./program.ts";

/** A file below /proc of a process that may be gone: then it is empty. */
function glimpse(pid: number | string, file: string): string {
  try {
    return proc(Number(pid), file);
  } catch {
    return "";
  }
}

const all = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name));

/** The pids of a process's children, those nobody has waited for among them. */
export function children(pid: number): number[] {
  return all()
    .filter((name) => glimpse(name, "status").includes(`PPid:\t${pid}\n`))
    .map(Number);
}

/** Does it live? A zombie does not: it only waits for being waited for. */
export function isAlive(pid: number): boolean {
  const status = glimpse(pid, "status");
  return status !== "" && !status.includes("State:\tZ");
}

/** The processes that have this entry in their environment: NAME=value. */
export function processesWith(entry: string): string[] {
  return all()
    .filter((name) => glimpse(name, "environ").split("\0").includes(entry))
    .map((name) => `${name} ${glimpse(name, "cmdline").replaceAll("\0", " ")}`);
}
