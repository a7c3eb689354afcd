import { dirname } from "node:path";
import { ControlError, parseSqlServer, type SqlServer } from "@qmail-mysql/control";
import { sqliteFile, sqlServerFile } from "@qmail-mysql/store";
import { bytesOf, exists, statIfPresent } from "../edge/files.ts";
import { word } from "../output/shell.ts";
import type { Problem } from "./rows/problem.ts";

/** Checks files below the qmail home, independent of the account that reads them. */
export function* checkFiles(home: string): Generator<Problem> {
  yield* checkCdbs(home);
  const program = statIfPresent(`${home}/bin/qmail-mysql`);
  if (program && (program.mode & 0o6000) !== 0) {
    const what = `${home}/bin/qmail-mysql`;
    yield { what, problem: "is setuid or setgid, which it must never be", fix: `chmod ug-s ${word(what)}` };
  }
  const rcpthosts = `${home}/control/rcpthosts`;
  if (!exists(rcpthosts)) {
    yield {
      what: rcpthosts,
      problem: "does not exist: qmail-smtpd relays for everybody",
      fix: `echo localhost >${word(rcpthosts)}; rebuild-cdb`,
    };
  }
}

const SETTINGS = "correct or delete the line; see sqlserver(5)";

/** Checks control/sqlserver or control/sqlserver-admin for unknown keys and invalid lines; returns its settings. */
export function* checkSettings(file: string): Generator<Problem, SqlServer | undefined> {
  if (!statIfPresent(file)) return undefined;
  const lineFix = (message: string) => {
    const line = /line (\d+)/.exec(message)?.[1];
    return line === undefined ? SETTINGS : `sed -i ${line}d ${word(file)} # ${SETTINGS}`;
  };
  try {
    const config = parseSqlServer(bytesOf(file), file);
    for (const warning of config.warnings) {
      yield { what: file, problem: warning.replace(`${file} `, ""), fix: lineFix(warning) };
    }
    return config;
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    yield { what: file, problem: error.message.replace(`${file} `, ""), fix: lineFix(error.message) };
    return undefined;
  }
}

/** Checks the mode of a file with secrets; `close` is the command that makes it readable only by those who need it. */
export function* checkSecret(file: string, close: string): Generator<Problem> {
  const stat = statIfPresent(file);
  if (!stat) return;
  if (stat.mode & 0o004) {
    yield {
      what: file,
      problem: "is world-readable: anyone on this machine can read every password",
      fix: close,
    };
  }
  if (stat.mode & 0o022) {
    const fix = `chmod go-w ${word(file)}`;
    yield { what: file, problem: "can be written by others than its owner", fix };
  }
}

/** The file with the secrets: the database itself for SQLite. */
export function secretFile(config: SqlServer, home: string): string {
  return config.driver === "sqlite" ? sqliteFile(config, home) : sqlServerFile(home);
}

export function* checkSqliteDirectory(file: string): Generator<Problem> {
  const dir = statIfPresent(dirname(file));
  if (dir && (dir.mode & 0o022) !== 0 && (dir.mode & 0o1000) === 0) {
    yield {
      what: dirname(file),
      problem: "others may put another database in the place of this one",
      fix: `chmod go-w ${word(dirname(file))}`,
    };
  }
}

/** Reports a cdb that is missing or older than its source. */
function* checkCdbs(home: string): Generator<Problem> {
  const pairs = [
    ["control/morercpthosts", "control/morercpthosts.cdb", "rebuild-cdb"],
    ["users/assign", "users/cdb", "rebuild-cdb assign"],
  ] as const;
  for (const [source, cdb, fix] of pairs) {
    const text = statIfPresent(`${home}/${source}`);
    const made = statIfPresent(`${home}/${cdb}`);
    if (!text) continue;
    if (!made) yield { what: `${home}/${cdb}`, problem: `was never made of ${source}`, fix };
    else if (made.mtimeMs < text.mtimeMs)
      yield {
        what: `${home}/${cdb}`,
        problem: `is older than ${source}`,
        fix: `${fix}; touch ${word(`${home}/${cdb}`)}`,
      };
  }
}
