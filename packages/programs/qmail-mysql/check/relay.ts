import { parseSql } from "@qmail-mysql/control";
import { hasControl, readControlFile } from "@qmail-mysql/control-files";
import { statements } from "@qmail-mysql/database";
import { openRelayStore, type RelayDatabase, relaySqldPath, sqlControlFile } from "@qmail-mysql/relay-store";
import { openDatabase, readSqlServer } from "@qmail-mysql/store";
import { findSystemAccounts } from "@qmail-mysql/system";
import { Trouble } from "@qmail-mysql/trouble";
import { opened } from "../edge/home-state.ts";
import { word } from "../output/shell.ts";
import { checkSecret } from "./files.ts";
import { mayInsert } from "./privileges.ts";
import type { Problem } from "./problem.ts";

const PATIENCE = 5; // seconds
const READER = "qmaild"; // as whom tcpserver and relay-check run

/** What is wrong with control/sql, and with the table of clients that it names. */
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
    if (config.database === undefined) relaySqldPath(home);
    else {
      const [reader] = findSystemAccounts([READER], PATIENCE);
      const group = reader ? `chgrp ${reader.gid} ${word(what)}; ` : "";
      const close = `${group}chmod 640 ${word(what)}`;
      if (config.database.password !== undefined) yield* checkSecret(what, close);
      const found = reader ? opened(what, { uid: reader.uid, gid: reader.gid }, "r") : {};
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
