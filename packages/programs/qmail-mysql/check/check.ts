import type { CdbReader } from "@qmail-mysql/cdb";
import type { SqlServer } from "@qmail-mysql/control";
import { type Database, statements } from "@qmail-mysql/database";
import { rcptHostKeys, virtualDomains } from "@qmail-mysql/routing";
import { assignedIn, entries, rcptHosts, sendControls, withCdb } from "@qmail-mysql/routing-controls";
import { openDatabase, readSqlServer, sqliteFile, sqlServerFile, storeOver } from "@qmail-mysql/store";
import { Die, Trouble } from "@qmail-mysql/trouble";
import type { Identity } from "../edge/effective-ids.ts";
import { exists } from "../edge/files.ts";
import { type Installation, installation } from "../edge/running.ts";
import { word } from "../output/shell.ts";
import { checkAccess } from "./access.ts";
import { checkFiles, checkSettings } from "./files.ts";
import { writePrivileges } from "./privileges.ts";
import { checkRelay } from "./relay.ts";
import { checkAliases } from "./rows/aliases.ts";
import { checkBackup, checkHosts } from "./rows/hosts.ts";
import { checkLoops } from "./rows/loops.ts";
import { checkMailbox } from "./rows/mailboxes.ts";
import { type Memory, mailboxRow, readTables } from "./rows/memory.ts";
import { type CheckPorts, checkPorts } from "./rows/ports.ts";
import type { Problem } from "./rows/problem.ts";
import { checkVirtual } from "./rows/virtual.ts";
import { checkSmtpd } from "./smtpd.ts";

const PROGRAM = "qmail-mysql";

type Report = (problems: AsyncIterable<Problem> | Iterable<Problem>) => Promise<void>;

/**
 * Reports every problem in the configuration that the mail programs use. Throws Trouble if not everything could be
 * checked.
 */
export async function check(home: string, report: (problem: Problem) => void): Promise<void> {
  const all: Report = async (problems) => {
    for await (const problem of problems) report(problem);
  };
  await all(checkFiles(home));
  await all(checkSmtpd(home));
  await all(checkUsersCdb(home));
  for (const file of [sqlServerFile(home), `${sqlServerFile(home)}-admin`]) await all(checkSettings(file));
  await all(checkRelay(home));
  const config = readSqlServer(home, PROGRAM, undefined, () => {});
  const database = await openDatabase(config, home, "resident");
  try {
    if (config.driver === "mysql") await all(await checkServer(database, config));
    const sqlFix = sqlCommand(config, home);
    const memory = await readTables(database, sqlFix);
    const installed = installation(home, config.timeout);
    const users = Array.isArray(memory) ? [] : identities(memory);
    await all(checkAccess({ home, config, installed, users }));
    if (Array.isArray(memory)) await all(memory);
    else await checkTables({ home, config, installed, database, memory, sqlFix, all });
  } finally {
    await database.close();
  }
}

/** Checks the rows of the tables, with the homes and the control files they depend on. */
async function checkTables(given: {
  readonly home: string;
  readonly config: SqlServer;
  readonly installed: Installation;
  readonly database: Database;
  readonly memory: Memory;
  readonly sqlFix: (sql: string) => string;
  readonly all: Report;
}): Promise<void> {
  const { home, config, installed, database, memory, sqlFix, all } = given;
  const controls = readControls(home);
  if (!controls) return all([noMe(home)]);
  const { findAliases } = storeOver(database, config.funkyQueries);
  const configured = entries(`${home}/control/defaultdelivery`)?.join("\n") || "./Mailbox";
  const defaultDelivery = installed.defaultDelivery ?? configured;
  const ports = await checkPorts(
    { home, memory, findAliases, installed, defaultDelivery },
    config,
    controls.locals,
  );
  await all(checkAliasUser(ports));
  for (const packed of memory.boxes.values()) await all(checkMailbox(mailboxRow(packed), ports, sqlFix));
  await all(checkAliases(ports, sqlFix));
  await all(checkVirtual(ports, sqlFix));
  const hostProblems = withCdb(`${home}/control/morercpthosts.cdb`, (cdb) => {
    const listed = rcptHosts(home);
    const isAccepted = (host: string) =>
      !listed || rcptHostKeys(host).some((key) => listed.has(key) || cdb?.get(key) !== undefined);
    const byHand = new Set(virtualDomains(entries(`${home}/control/virtualdomains.local`) ?? []).keys());
    return [
      ...checkHosts(memory, { home, controls, byHand, isAccepted }),
      ...checkBackup(acceptedEntries(home, memory, listed, cdb), controls),
    ];
  });
  await all(hostProblems);
  await all(checkLoops(ports, sqlFix));
}

/** The hosts that qmail-smtpd accepts, with the command that takes one out. */
function* acceptedEntries(
  home: string,
  { rcpthosts }: Memory,
  listed: ReadonlySet<string> | undefined,
  cdb: CdbReader | undefined,
) {
  const without = (file: string, entry: string) =>
    `sed -i ${word(`/^${entry.replace(/[.[\]*^$/\\]/g, "\\$&")}$/Id`)} ${word(`${home}/control/${file}`)}`;
  for (const entry of listed ?? []) {
    yield { file: "control/rcpthosts", entry, fix: without("rcpthosts", entry) };
  }
  const rows = new Set(rcpthosts);
  const isOurs = exists(`${home}/control/morercpthosts.local`);
  for (const { key } of cdb?.records() ?? []) {
    const entry = Buffer.from(key).toString("latin1");
    const fix = rows.has(entry)
      ? `qmail-mysql domain del ${word(entry)} && rebuild-cdb`
      : isOurs
        ? `${without("morercpthosts.local", entry)} && rebuild-cdb`
        : `${without("morercpthosts", entry)} && qmail-newmrh`;
    yield { file: "control/morercpthosts", entry, fix };
  }
}

/** Turns SQL into a command that an administrator can run. */
function sqlCommand(config: SqlServer, home: string): (sql: string) => string {
  return config.driver === "sqlite"
    ? (sql) => `sqlite3 ${word(sqliteFile(config, home))} ${word(sql)}`
    : (sql) => `mariadb ${word(config.db)} -e ${word(sql)}`;
}

/** The users that qmail-local runs as, without duplicates. */
function identities({ boxes }: Memory): Identity[] {
  const found = new Map<string, Identity>();
  for (const packed of boxes.values()) {
    const { uid, gid } = mailboxRow(packed);
    const isUsable = /^\d{1,9}$/.test(uid ?? "") && /^\d{1,9}$/.test(gid ?? "") && Number(uid) > 0;
    if (isUsable) found.set(`${uid}:${gid}`, { uid: Number(uid), gid: Number(gid) });
  }
  return [...found.values()];
}

function readControls(home: string): ReturnType<typeof sendControls> | undefined {
  try {
    return sendControls(home);
  } catch (error) {
    if (error instanceof Trouble) return undefined;
    throw error;
  }
}

const noMe = (home: string): Problem => ({
  what: `${home}/control/me`,
  problem: "does not exist: qmail-send does not start",
  fix: `hostname -f >${word(`${home}/control/me`)}`,
});

async function* checkAliasUser({ settings, findSystemAccounts, home }: CheckPorts): AsyncGenerator<Problem> {
  const { aliasUser } = settings;
  if ((await findSystemAccounts([aliasUser])).length > 0) return;
  yield {
    what: `account "${aliasUser}"`,
    problem: "does not exist: mail for names that nobody has waits",
    fix: `useradd --home-dir ${home}/alias ${aliasUser} # as qmail's INSTALL.ids has it`,
  };
}

/** A users/cdb that qmail-lspawn cannot use defers every local delivery. */
function* checkUsersCdb(home: string): Generator<Problem> {
  try {
    assignedIn(home, "postmaster");
  } catch (error) {
    if (!(error instanceof Die)) throw error;
    const what = `${home}/users/cdb`;
    const fix = exists(`${home}/users/assign`) ? "rebuild-cdb assign" : `rm ${word(what)}`;
    yield { what, problem: `${error.message}: all local mail waits`, fix };
  }
}

/** Checks the privileges of the account at the database, and the connection. */
async function checkServer(database: Database, config: SqlServer): Promise<Problem[]> {
  const problems: Problem[] = [];
  const loopback = config.servers.find(
    (server) => "host" in server && /^(127\.|::1$|localhost$)/.test(server.host) && !config.tls,
  );
  if (loopback && "host" in loopback && loopback.host !== "localhost") {
    problems.push({
      what: `server ${loopback.host}`,
      problem:
        "TCP on this machine without TLS: who takes the port while the server is down is given the password",
      fix: "server localhost, for the server's socket, or tls; see sqlserver(5)",
    });
  }
  const grants = (await database.query(statements.showGrants, [])).map((row) => Object.values(row)[0] ?? "");
  const found = writePrivileges(grants, config.db);
  if (found.length > 0) {
    problems.push({
      what: `database user "${config.login}"`,
      problem: `may do more than SELECT: ${found.join(", ")}; who reads control/sqlserver can change every mailbox`,
      fix: "qmail-mysql init --grants, and control/sqlserver-admin for what has to write",
    });
  }
  return problems;
}
