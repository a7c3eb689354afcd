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

/** Parses the command line and runs the command; returns the exit code. Arguments are byte strings. */
export async function cli(args: readonly string[], context: Context): Promise<number> {
  const program = new Command("qmail-mysql")
    .description("Administers the tables: creates them, edits their rows, finds errors in the configuration.")
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
    .showHelpAfterError("(see --help)")
    .addHelpText(
      "after",
      `
Examples:
  qmail-mysql init                                   create the tables in the database of control/sqlserver
  qmail-mysql user add iain --uid 800 --gid 100 --home /home/mail/iain --create-home
  qmail-mysql user list --json

Every command has --help. The database is that of $QMAIL_HOME/control/sqlserver-admin if that file exists,
else of control/sqlserver. Exit status: 0 success, 100 permanent error, 111 temporary error.`,
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
    if (error instanceof Closed) return OK; // the reader of descriptor 1 has closed it
    if (!(error instanceof CommanderError)) throw named(error);
    // The message has been printed. Help is an error if it is printed because the command is missing.
    return error.code === "commander.help" || error.exitCode !== 0 ? HARD : OK;
  }
}

/** Turns an error of a system call that nothing has handled into Trouble. */
function named(error: unknown): unknown {
  const { syscall, path } = (error ?? {}) as { syscall?: unknown; path?: unknown };
  if (errno(error) === "" || typeof syscall !== "string") return error;
  return new Trouble(`unable to ${syscall} ${typeof path === "string" ? path : "a file"}: ${reason(error)}`);
}
