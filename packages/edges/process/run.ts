import { SOFT, verdict } from "@qmail-mysql/trouble";
import { say } from "./io.ts";

/**
 * Suppresses messages of libraries, for example of mysql2 about an invalid packet: descriptor 1 belongs to a client or a
 * report, and descriptor 2 gets one line.
 */
function silenceLibraries(): void {
  const nothing = () => {};
  globalThis.console = new Proxy({} as Console, { get: () => nothing });
  process.emitWarning = nothing;
}

/**
 * Runs a program and exits with the code that it returns. An uncaught error is handled here: JavaScript runtimes exit 1,
 * for which qmail-lspawn bounces the mail and the callers of checkpassword report a wrong password. `soft` is the
 * program's code for trouble.
 */
export async function run(
  program: string,
  body: () => number | Promise<number>,
  soft = SOFT,
): Promise<never> {
  silenceLibraries();
  process.exitCode = soft; // in case body never settles
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
