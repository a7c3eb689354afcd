import { say } from "@qmail-mysql/process";
import { errno, HARD, OK, reason, Trouble } from "@qmail-mysql/trouble";
import { Command, CommanderError } from "commander";
import { addAsk } from "./ask/command.ts";
import { addCheck } from "./check/command.ts";
import { Closed, type Context } from "./context.ts";
import { addInit } from "./init/command.ts";
import { addRelay } from "./relay/command.ts";
import { addRouting } from "./routing/command.ts";
import { addTrace } from "./trace/command.ts";
import { addUser } from "./user/command.ts";

declare const VERSION: string; // of package.json: scripts/bundle.js

const WIDTH = 100; // columns of help

/** Reads the command line and runs the command it names; answers the exit code. Arguments are byte strings. */
export async function cli(args: readonly string[], context: Context): Promise<number> {
  const program = new Command("qmail-mysql")
    .description("The administrator's command: makes the tables, keeps what is in them, finds what is wrong.")
    .configureOutput({
      writeOut: context.print,
      writeErr: say,
      getOutHelpWidth: () => WIDTH,
      getErrHelpWidth: () => WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(text.replace(/^error:/, "qmail-mysql: usage:")),
    })
    .version(VERSION, "--version", "print the version")
    .exitOverride()
    .showHelpAfterError("(add --help for what may be said)")
    .addHelpText(
      "after",
      `
Examples:
  qmail-mysql init                                   make the tables control/sqlserver points to
  qmail-mysql user add iain --uid 800 --gid 100 --home /home/mail/iain --create-home
  qmail-mysql user list --json

Every command has --help. The database is the one of control/sqlserver-admin, else of control/sqlserver,
below $QMAIL_HOME. Exit status: 0 done, 100 cannot be done as asked, 111 trouble that may pass.`,
    );
  addInit(program, context);
  addUser(program, context);
  addRouting(program, context);
  addRelay(program, context);
  addTrace(program, context);
  addAsk(program, context);
  let code = OK;
  addCheck(program, context, (problems) => {
    if (problems > 0) code = HARD;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof Closed) return OK; // whoever read us has read enough
    if (!(error instanceof CommanderError)) throw named(error);
    // It has said why; help that was asked for is no error, help instead of a command is.
    return error.code === "commander.help" || error.exitCode !== 0 ? HARD : OK;
  }
}

/** An error of a system call that nobody named, in our words. */
function named(error: unknown): unknown {
  const { syscall, path } = (error ?? {}) as { syscall?: unknown; path?: unknown };
  if (errno(error) === "" || typeof syscall !== "string") return error;
  return new Trouble(`unable to ${syscall} ${typeof path === "string" ? path : "a file"}: ${reason(error)}`);
}
