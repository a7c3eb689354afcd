import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { ControlError, parseSqlServer } from "@qmail-mysql/control";
import { sqliteFile, sqlServerFile } from "@qmail-mysql/store";
import { findSystemAccounts } from "@qmail-mysql/system";
import type { Problem } from "./problem.ts";

/** What is wrong with the files below the qmail home. */
export function* checkFiles(home: string): Generator<Problem> {
  for (const file of [sqlServerFile(home), `${sqlServerFile(home)}-admin`]) yield* checkSettings(file, home);
  yield* checkReader(home);
  yield* checkCdbs(home);
  const program = look(`${home}/bin/qmail-mysql`);
  if (program && (program.mode & 0o6000) !== 0) {
    yield {
      what: `${home}/bin/qmail-mysql`,
      problem: "is setuid or setgid, which it must never be",
      fix: `chmod ug-s ${home}/bin/qmail-mysql`,
    };
  }
  if (!existsSync(`${home}/control/rcpthosts`)) {
    yield {
      what: `${home}/control/rcpthosts`,
      problem: "does not exist: qmail-smtpd relays for everybody",
      fix: `echo localhost >${home}/control/rcpthosts`,
    };
  }
}

const look = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });

/** Unknown keys, and who may read and write what holds passwords. */
function* checkSettings(file: string, home: string): Generator<Problem> {
  const stat = look(file);
  if (!stat) return;
  try {
    const config = parseSqlServer(readFileSync(file, "latin1"), file);
    for (const warning of config.warnings) {
      yield {
        what: file,
        problem: warning.replace(`${file} `, ""),
        fix: "correct or delete the line; see sqlserver(5)",
      };
    }
    if (config.driver === "sqlite") yield* checkSqlite(sqliteFile(config, home));
    else yield* checkSecret(file, stat);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    yield {
      what: file,
      problem: error.message.replace(`${file} `, ""),
      fix: "correct the line; see sqlserver(5)",
    };
  }
}

function* checkSecret(file: string, stat: Stats): Generator<Problem> {
  if (stat.mode & 0o004) {
    yield {
      what: file,
      problem: "is world-readable: anyone on this machine can read every password",
      fix: `chmod o-r ${file}, and chgrp it to those that need it; or run qmail-sqld`,
    };
  }
  if (stat.mode & 0o022) {
    yield { what: file, problem: "can be written by others than its owner", fix: `chmod go-w ${file}` };
  }
}

function* checkSqlite(file: string): Generator<Problem> {
  const stat = look(file);
  if (!stat) return;
  yield* checkSecret(file, stat);
  const dir = look(dirname(file));
  if (dir && (dir.mode & 0o022) !== 0 && (dir.mode & 0o1000) === 0) {
    yield {
      what: dirname(file),
      problem: "others may put another database in the place of this one",
      fix: `chmod go-w ${dirname(file)}`,
    };
  }
}

const READER = "qmailp"; // conf-users: as whom qmail-lspawn runs qmail-getpw

/** Can qmail-getpw read what it has to? */
function* checkReader(home: string): Generator<Problem> {
  const sqld = `${home}/control/sqld`;
  if (existsSync(sqld)) {
    const socket = readFileSync(sqld, "latin1").split("\n", 1)[0]?.trim() ?? "";
    if (!look(socket)?.isSocket()) {
      yield {
        what: sqld,
        problem: `names ${socket || "nothing"}, which is no socket`,
        fix: "start qmail-sqld",
      };
    }
    return;
  }
  const file = sqlServerFile(home);
  const stat = look(file);
  const [account] = findSystemAccounts([READER], 5);
  if (!stat || !account) return;
  const groups = spawnSync("/usr/bin/id", ["-G", READER], { encoding: "latin1", timeout: 5000 });
  const gids = (groups.stdout ?? "").trim().split(" ").map(Number);
  const bit = stat.uid === account.uid ? 0o400 : gids.includes(stat.gid) ? 0o040 : 0o004;
  if ((stat.mode & bit) === 0) {
    yield {
      what: file,
      problem: `is not readable by ${READER}: all mail waits`,
      fix: `chgrp ${account.gid} ${file}; chmod g+r ${file}`,
    };
  }
}

/** A cdb that is older than what it is made of. */
function* checkCdbs(home: string): Generator<Problem> {
  const pairs = [
    ["control/morercpthosts", "control/morercpthosts.cdb", "rebuild-cdb, or qmail-newmrh"],
    ["users/assign", "users/cdb", "rebuild-cdb --assign, or qmail-newu"],
  ] as const;
  for (const [source, cdb, fix] of pairs) {
    const text = look(`${home}/${source}`);
    const made = look(`${home}/${cdb}`);
    if (!text) continue;
    if (!made) yield { what: `${home}/${cdb}`, problem: `was never made of ${source}`, fix };
    else if (made.mtimeMs < text.mtimeMs)
      yield { what: `${home}/${cdb}`, problem: `is older than ${source}`, fix };
  }
}
