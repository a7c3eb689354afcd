import { basename, dirname } from "node:path";
import { parseSql, type RelaySql } from "@qmail-mysql/control";
import { hasControl, readControlFile } from "@qmail-mysql/control-files";
import { statements } from "@qmail-mysql/database";
import {
  openRelayAnswers,
  openRelayStore,
  type RelayDatabase,
  relaySqldPath,
  sqlControlFile,
} from "@qmail-mysql/relay-store";
import { openDatabase, readSqlServer, sqliteFile } from "@qmail-mysql/store";
import { findSystemAccounts } from "@qmail-mysql/system";
import { Trouble } from "@qmail-mysql/trouble";
import { type Ip, parseIp } from "@qmail-mysql/wire";
import { names, statIfPresent } from "../edge/files.ts";
import { unopenable } from "../edge/path-access.ts";
import { listener } from "../edge/running.ts";
import { word } from "../output/shell.ts";
import { checkSecret } from "./files.ts";
import { mayInsert } from "./privileges.ts";
import type { Problem } from "./rows/problem.ts";

const TIMEOUT = 5; // seconds
const EXAMPLE = parseIp("192.0.2.1") as Ip; // RFC 5737
const READER = "qmaild"; // the account of tcpserver and relay-check

/** Checks control/sql, and the table of clients that it names. */
export async function* checkRelay(home: string): AsyncGenerator<Problem> {
  const what = sqlControlFile(home);
  if (!hasControl(home, "sql")) return;
  const lineFix = (message: string) => {
    const line = / line (\d+)/.exec(message)?.[1];
    return line === undefined ? "see sql(5)" : `sed -i ${line}d ${word(what)} # see sql(5)`;
  };
  try {
    const config = readControlFile(what, parseSql);
    for (const warning of config.warnings) {
      yield { what, problem: warning.replace(`${what} `, ""), fix: lineFix(warning) };
    }
    if (config.database === undefined) yield* checkRecorder(home, config);
    else {
      const [reader] = findSystemAccounts([READER], TIMEOUT);
      const group = reader ? `chgrp ${reader.gid} ${word(what)}; ` : "";
      const close = `${group}chmod 640 ${word(what)}`;
      if (config.database.password !== undefined) yield* checkSecret(what, close);
      const found = reader ? unopenable(what, { uid: reader.uid, gid: reader.gid }, "r") : {};
      if (found.problem !== undefined) {
        yield { what, problem: `${found.problem}, ${READER}: no client may relay`, fix: found.fix ?? close };
      }
    }
    const database = config.database ?? readSqlServer(home, "qmail-mysql", undefined, () => {});
    yield* checkTable(home, what, { ...config, database });
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield { what, problem: error.message.replace(`${what} `, ""), fix: lineFix(error.message) };
  }
}

/** Checks that qmail-sqld has read control/sql, and that it can record logins. */
async function* checkRecorder(home: string, config: RelaySql): AsyncGenerator<Problem> {
  const socket = relaySqldPath(home);
  const pid = listener(socket);
  const running = statIfPresent(socket);
  if (pid === undefined || running === undefined) return; // checkAccess reports it
  const answers = await openRelayAnswers(config, home, "read", TIMEOUT);
  try {
    await answers.left(EXAMPLE);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    if (error.message.includes(sqlControlFile(home)))
      yield { what: "qmail-sqld", problem: error.message, fix: `kill -HUP ${pid}; sleep 1` };
  } finally {
    await answers.close();
  }
  const { driver, db } = readSqlServer(home, "qmail-mysql", undefined, () => {});
  if (driver !== "sqlite" || running.uid === 0) return;
  const file = sqliteFile({ db }, home);
  const dir = dirname(file);
  const { problem } = unopenable(dir, { uid: running.uid, gid: running.gid }, "rw");
  if (problem === undefined) return;
  const isItsOwn = names(dir).every((name) => name.startsWith(basename(file)));
  const fix = isItsOwn ? `chown ${running.uid} ${word(dir)}` : "see sql(5): a directory for the file alone";
  yield { what: dir, problem: `${problem}, qmail-sqld's account: no login opens the relay`, fix };
}

async function* checkTable(home: string, what: string, config: RelayDatabase): AsyncGenerator<Problem> {
  const store = await openRelayStore(config, home, "read");
  try {
    await store.list();
  } catch (error) {
    if (!(error instanceof Trouble) || !/no such table|doesn't exist/.test(error.message)) throw error;
    yield { what: `table ${config.table.table}`, problem: "does not exist", fix: "qmail-mysql init" };
    return;
  } finally {
    await store.close();
  }
  if (config.database.driver !== "mysql") return;
  const database = await openDatabase(config.database, home, "read");
  try {
    const grants = (await database.query(statements.showGrants, [])).map(
      (row) => Object.values(row)[0] ?? "",
    );
    if (mayInsert(grants, config.database.db, config.table.table)) return;
    const problem = `user "${config.database.login}" may not INSERT into ${config.table.table}: no login opens the relay`;
    yield { what, problem, fix: `mariadb -e ${word(insertGrant(config))}` };
  } finally {
    await database.close();
  }
}

const insertGrant = ({ database, table }: RelayDatabase): string =>
  `GRANT INSERT, UPDATE, DELETE ON \`${database.db}\`.\`${table.table}\` TO '${database.login}'@'localhost'`;
