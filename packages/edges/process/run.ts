import { SOFT, verdict } from "@qmail-mysql/trouble";
import { say } from "./io.ts";

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
