import { readdirSync } from "node:fs";
import { proc } from "./program.ts";

/** A file below /proc; empty if the process has ended. */
function glimpse(pid: number | string, file: string): string {
  try {
    return proc(Number(pid), file);
  } catch {
    return "";
  }
}

const all = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name));

/** The pids of a process's children, those nobody has waited for among them. Quick: they go on meanwhile. */
export function children(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it is gone
  }
  return threads
    .flatMap((thread) => glimpse(pid, `task/${thread}/children`).split(" ").filter(Boolean))
    .map(Number);
}

/** The process of a qmail-lspawn's that forks its workers, or several for as long as one that was killed has some. */
export function forkServers(lspawn: number): number[] {
  return children(lspawn).filter((pid) => glimpse(pid, "cmdline").includes("\0--fork-server\0"));
}

/** The pids of a qmail-lspawn's workers. Those that are qmail-local by now, too. */
export function workers(lspawn: number): number[] {
  return forkServers(lspawn).flatMap(children);
}

/** The state in proc_pid_status(5); undefined if it has ended. */
export const state = (pid: number) => /^State:\t(.)/m.exec(glimpse(pid, "status"))?.[1];

/** Is it running? A zombie is not. */
export function isAlive(pid: number): boolean {
  return !["Z", undefined].includes(state(pid));
}

/** Sends a signal; false if the process had already ended. */
export function signal(pid: number, which: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, which);
  } catch {
    return false;
  }
}

/** Is it runnable, or waiting for a disk? */
export function isAtWork(pid: number): boolean {
  return ["R", "D"].includes(state(pid) ?? "");
}

/** The processes that have this entry in their environment: NAME=value. */
export function processesWith(entry: string): string[] {
  return all()
    .filter((name) => glimpse(name, "environ").split("\0").includes(entry))
    .map((name) => `${name} ${glimpse(name, "cmdline").replaceAll("\0", " ")}`);
}

/** What a process holds: descriptors, and kilobytes of memory that are its own. */
export function holdings(pid: number): { fds: number; memory: number } {
  const memory = /^RssAnon:\s+(\d+) kB$/m.exec(proc(pid, "status"))?.[1];
  return { fds: readdirSync(`/proc/${pid}/fd`).length, memory: Number(memory) };
}
