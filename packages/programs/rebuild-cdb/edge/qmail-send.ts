import { closeSync, constants, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { writeAll } from "@qmail-mysql/process";
import { reason, Trouble } from "@qmail-mysql/trouble";

/**
 * The qmail-send processes of this qmail home directory: by name and working directory, which distinguishes
 * installations. Only root can read the working directories of other users' processes.
 */
export function findQmailSend(qmailHome: string): number[] {
  const queue = statSync(`${qmailHome}/queue`, { throwIfNoEntry: false });
  if (!queue) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        if (readFileSync(`/proc/${pid}/comm`, "latin1") !== "qmail-send\n") return false;
        const cwd = statSync(`/proc/${pid}/cwd`);
        return cwd.dev === queue.dev && cwd.ino === queue.ino;
      } catch {
        return false; // it has ended, or no permission
      }
    });
}

/** Signals qmail-send to read locals and virtualdomains again. */
export function hangUp(pid: number): void {
  try {
    process.kill(pid, "SIGHUP");
  } catch (error) {
    throw new Trouble(`unable to signal qmail-send, pid ${pid}: ${reason(error)}`);
  }
}

/** The same through its supervisor, by the control FIFO of the service, as `svc -h` of daemontools, runit and s6. */
export function hangUpService(directory: string): void {
  const pipe = `${directory}/supervise/control`;
  try {
    const fd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeAll(fd, "h");
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new Trouble(`unable to signal the service ${directory}: ${pipe}: ${reason(error)}`);
  }
}
