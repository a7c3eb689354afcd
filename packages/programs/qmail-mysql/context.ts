import { isatty } from "node:tty";
import type { SqlServer } from "@qmail-mysql/control";
import { adminControl, qmailHome } from "@qmail-mysql/control-files";
import type { Database, Mode } from "@qmail-mysql/database";
import { say, writeAll } from "@qmail-mysql/process";
import { isWorldReadable, openDatabase, readSqlServer, sqliteFile, sqlServerFile } from "@qmail-mysql/store";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { statIfPresent } from "./edge/files.ts";

/** What the commands share: the qmail home, output and the database. */
export interface Context {
  readonly home: string;
  /** Writes a byte string to descriptor 1. */
  readonly print: (text: string) => void;
  readonly warn: (line: string) => void;
  /** Bold on a terminal, unless NO_COLOR is set (no-color.org). */
  readonly bold: (text: string) => string;
  readonly config: () => SqlServer;
  readonly withDatabase: <T>(
    mode: Mode,
    use: (database: Database, config: SqlServer) => Promise<T>,
    /** With the settings and the account of the mail programs, not those of control/sqlserver-admin. */
    asMail?: "as mail",
  ) => Promise<T>;
}

const PROGRAM = "qmail-mysql";

export function contextOf(): Context {
  const home = qmailHome();
  const warn = (line: string) => say(`${PROGRAM}: warning: ${line}`);
  const colours = isatty(1) && !process.env.NO_COLOR && process.env.TERM !== "dumb";
  const config = () => readSqlServer(home, PROGRAM, adminControl(home, "sqlserver"));
  return {
    home,
    print: printUnlessClosed,
    warn,
    bold: (text) => (colours ? `\x1b[1m${text}\x1b[0m` : text),
    config,
    async withDatabase(mode, use, asMail) {
      const settings = asMail ? readSqlServer(home, PROGRAM) : config();
      warnOfReaders(settings, home, warn);
      try {
        const database = await openDatabase(settings, home, mode);
        try {
          return await use(database, settings);
        } finally {
          await database.close();
        }
      } catch (error) {
        throw withoutTables(error);
      }
    },
  };
}

/** The reader of descriptor 1 has closed it, as head(1) does. */
export class Closed extends Error {}

function printUnlessClosed(text: string): void {
  try {
    writeAll(1, text);
  } catch (error) {
    if (errno(error) === "EPIPE") throw new Closed();
    throw new Trouble(`unable to write to descriptor 1: ${reason(error)}`);
  }
}

/** Warns of world-readable files with secrets: an SQLite database, or the files with the database's passwords. */
function warnOfReaders(config: SqlServer, home: string, warn: (line: string) => void): void {
  const files =
    config.driver === "sqlite"
      ? [sqliteFile(config, home)]
      : [sqlServerFile(home), `${sqlServerFile(home)}-admin`];
  for (const file of files) {
    if (statIfPresent(file) && isWorldReadable(file)) {
      warn(
        `${file} is world-readable: anyone on this machine can read the passwords; fix: chmod o-r ${file}`,
      );
    }
  }
}

// The messages of SQLite, of MySQL, and of this package for a missing database file.
const NO_TABLES = /no such table|Table '[^']*' doesn't exist|unable to open .*: file does not exist/;

/** Adds the command that creates the tables to an error about missing ones. */
function withoutTables(error: unknown): unknown {
  return error instanceof Trouble && NO_TABLES.test(error.message)
    ? new Trouble(`${error.message}; fix: qmail-mysql init`)
    : error;
}
