import { closeSync, openSync } from "node:fs";
import { type Ended, temporary } from "@qmail-mysql/delivery";
import { runChild } from "@qmail-mysql/process";
import { isTemporary, reason } from "@qmail-mysql/trouble";
import { cannotRewind } from "./message.ts";

const LIMIT = 86_400_000; // milliseconds

/** The descriptors of a program. */
export interface ProgramIo {
  readonly message: number;
  readonly out: number;
  readonly err: number;
}

/**
 * Runs a command of a .qmail file in the current directory, with the message on its descriptor 0. Stock qmail-local
 * waits without a limit, which occupies one of the concurrent deliveries; here the command is killed after a day. Throws
 * Failure.
 */
export function runProgram(command: string, env: Readonly<Record<string, string>>, io: ProgramIo): Ended {
  const fd = rewound(io.message);
  try {
    const ended = runChild({
      argv: ["/bin/sh", "-c", command],
      env,
      stdio: [fd, io.out, io.err],
      limit: LIMIT,
    });
    if (ended.late) throw temporary("Timeout on program delivery. (#4.3.0)");
    return ended;
  } catch (error) {
    if (!(error instanceof Error && "errno" in error)) throw error;
    throw temporary(`Unable to ${isTemporary(error) ? "fork" : "run /bin/sh"}: ${reason(error)}. (#4.3.0)`);
  } finally {
    closeSync(fd);
  }
}

/** Opens the file of a descriptor again: at its beginning, with its own offset. */
export function rewound(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, "r");
  } catch {
    throw cannotRewind();
  }
}
