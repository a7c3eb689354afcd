import { SOFT, verdict } from "@qmail-mysql/trouble";
import { say } from "./io.ts";

/**
 * Descriptors 1 and 2 are a client's, a report's or one line's: no library writes what it thinks is worth knowing
 * there, as mysql2 does when it meets a packet that it cannot read.
 */
function silenceLibraries(): void {
  const nothing = () => {};
  globalThis.console = new Proxy({} as Console, { get: () => nothing });
  process.emitWarning = nothing;
}

/**
 * Runs a program and exits with what it returns. Nothing else exits: a JavaScript runtime's own code for an
 * uncaught throw is 1, which qmail-lspawn bounces and checkpassword's callers read as a wrong password.
 * `soft` is the program's code for trouble.
 */
export async function run(
  program: string,
  body: () => number | Promise<number>,
  soft = SOFT,
): Promise<never> {
  silenceLibraries();
  process.exitCode = soft; // should body never settle
  const fail = (error: unknown): never => {
    const { code, line } = verdict(program, error, soft);
    say(line);
    process.exit(code);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  try {
    process.exit(await body());
  } catch (error) {
    return fail(error);
  }
}
