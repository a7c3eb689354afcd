import { statSync } from "node:fs";
import { aliasUser, breakChar } from "@qmail-mysql/control-files";
import { candidates } from "@qmail-mysql/dotqmail";
import { type AliasRow, rcptHostKeys, type VirtualRow, virtualDomainKeys } from "@qmail-mysql/routing";
import { type Database, openDatabase, readSqlServer, type Statement, statements } from "@qmail-mysql/store";
import { findSystemAccounts } from "@qmail-mysql/system";
import { Trouble } from "@qmail-mysql/trouble";
import { lower, toBuffer, toText } from "@qmail-mysql/wire";
import { rcptHosts, sendControls, withCdb } from "../edge/controls.ts";
import { columnFix } from "../tables/column-fix.ts";
import { checkFiles } from "./files.ts";
import { checkMailbox } from "./mailboxes.ts";
import { writePrivileges } from "./privileges.ts";
import type { Problem } from "./problem.ts";
import { routesOf } from "./routes.ts";
import { checkAliases, checkLoops, checkVirtual } from "./tables.ts";

const PROGRAM = "qmail-mysql";
const MAILBOX_COLUMNS = ["username", "uid", "gid", "home", "suspended", "password_type"];

/**
 * Reports everything that is wrong with what the mail programs themselves are configured to use. Throws
 * Trouble when not everything could be looked at.
 */
export async function check(home: string, report: (problem: Problem) => void): Promise<void> {
  const reportAll = (problems: Iterable<Problem>) => {
    for (const problem of problems) report(problem);
  };
  reportAll(checkFiles(home));
  const config = readSqlServer(home, PROGRAM, undefined, () => {});
  const database = await openDatabase(config, home, "resident");
  try {
    if (config.driver === "mysql") reportAll(await checkAccount(database, config.db, config.login ?? ""));
    // A row is one string: there may be a million. Homes are looked at when the database is no longer waited for.
    const boxes = new Map<string, string>();
    const twice = new Set<string>();
    const aliases: AliasRow[] = [];
    const virtuals: VirtualRow[] = [];
    const hosts: string[] = [];
    const complaints = [
      await read(database, "mailbox", statements.listMailboxes, (columns) => {
        const name = lower(columns[0] ?? "");
        if (boxes.has(name)) twice.add(name);
        boxes.set(name, columns.join("\0"));
      }),
      await read(
        database,
        "alias",
        statements.listAliases,
        ([username = "", alias = "", left = "", right = ""]) =>
          aliases.push({ username, alias, aliasUsername: left, aliasHost: right }),
      ),
      await read(
        database,
        "virtual",
        statements.listVirtual,
        ([username = "", ext = "", user = "", host = ""]) =>
          virtuals.push({ username, ext, virtualUsername: user, virtualHost: host }),
      ),
      await read(database, "rcpthosts", statements.eachRcptHost, ([host = ""]) => hosts.push(lower(host))),
    ].filter((complaint) => complaint !== undefined);
    if (complaints.length > 0) return reportAll(complaints);

    const settings = { ...config, breakChar: breakChar(), aliasUser: aliasUser() };
    const controls = attempt(() => sendControls(home));
    if (!controls) {
      return report({
        what: `${home}/control/me`,
        problem: "does not exist: qmail-send does not start",
        fix: `hostname -f >${home}/control/me`,
      });
    }
    const accounts = systemAccounts(namesToAsk(aliases, virtuals, boxes, settings.breakChar), config.timeout);
    const isAccount = (name: string) => boxes.has(name) || accounts.has(name);
    const homeOf = (user: string) =>
      boxes.get(user)?.split("\0")[MAILBOX_COLUMNS.indexOf("home")] ?? accounts.get(user);
    const isLocal = (host: string) => controls.locals.has(host);
    if (!accounts.has(settings.aliasUser)) {
      report({
        what: `account "${settings.aliasUser}"`,
        problem: "does not exist: mail for names that nobody has waits",
        fix: `useradd --home-dir ${home}/alias ${settings.aliasUser}, as qmail's INSTALL.ids has it`,
      });
    }
    const routes = routesOf(aliases, virtuals, isAccount, isLocal, settings);

    const mailboxSettings = {
      magicForwarding: config.magicForwarding,
      hasOwnDelivery: (user: string) => routes.hasAliases(user, "", ""),
      exists: isThere,
      isTwice: (name: string) => twice.has(name),
    };
    for (const box of boxes.values()) {
      const values = box.split("\0");
      const row = Object.fromEntries(MAILBOX_COLUMNS.map((column, i) => [column, values[i] ?? ""]));
      reportAll(checkMailbox(row, mailboxSettings));
    }
    reportAll(checkAliases(aliases, routes));
    withCdb(`${home}/control/morercpthosts.cdb`, (cdb) => {
      const listed = rcptHosts(home);
      const isAccepted = (host: string) =>
        !listed || rcptHostKeys(host).some((key) => listed.has(key) || cdb?.get(key) !== undefined);
      reportAll(
        checkVirtual(virtuals, routes, {
          locals: controls.locals,
          rcpthosts: isAccepted,
          isVirtualDomain: (host) =>
            virtualDomainKeys("\0", host).some((key) => controls.virtualdomains.get(key)),
          hasDotQmail: (user, ext) => {
            const dir = homeOf(user);
            return (
              dir !== undefined && [...candidates("-", ext)].some(({ file }) => isThere(`${dir}/${file}`))
            );
          },
        }),
      );
      reportAll(
        hosts
          .filter((host) => host !== "" && !isAccepted(host))
          .map((host) => ({
            what: `rcpthosts row ("${host}")`,
            problem: "is not in control/morercpthosts.cdb: mail from outside is refused",
            fix: "rebuild-cdb",
          })),
      );
    });
    reportAll(checkLoops(aliases, virtuals, routes));
  } finally {
    await database.close();
  }
}

/** Reads a table; answers what is wrong with the table itself. */
async function read(
  database: Database,
  table: string,
  statement: Statement,
  each: (columns: string[]) => void,
): Promise<Problem | undefined> {
  try {
    await database.stream(statement, [], each);
    return undefined;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    if (/no such table|Table '[^']*' doesn't exist/.test(error.message)) {
      return { what: `table ${table}`, problem: "does not exist", fix: "qmail-mysql init" };
    }
    const missing = columnFix(table, error.message.replace(/no such column: (\w+)/, "no column named $1"));
    if (!missing) throw error;
    return {
      what: `table ${table}`,
      problem: `column ${missing.column} ${missing.problem}`,
      fix: missing.fix,
    };
  }
}

async function checkAccount(database: Database, db: string, login: string): Promise<Problem[]> {
  const grants = (await database.query(statements.showGrants, [])).map((row) => Object.values(row)[0] ?? "");
  const found = writePrivileges(grants, db);
  if (found.length === 0) return [];
  const problem = {
    what: `database user "${login}"`,
    problem: `may do more than SELECT: ${found.join(", ")}; who reads control/sqlserver can change every mailbox`,
    fix: "qmail-mysql init --grants, and control/sqlserver-admin for what has to write",
  };
  return [problem];
}

/** The names in the two tables that are no mailboxes, and all they may be split into. */
function namesToAsk(
  aliases: readonly AliasRow[],
  virtuals: readonly VirtualRow[],
  boxes: ReadonlyMap<string, string>,
  brk: string,
): Set<string> {
  const names = new Set<string>([aliasUser()]);
  const locals = [...aliases.map((row) => row.username), ...virtuals.map((row) => row.username)];
  for (const row of aliases) if (row.aliasHost !== "") locals.push(row.aliasUsername);
  for (const local of locals) {
    for (let name = lower(local); ; name = name.slice(0, name.lastIndexOf(brk))) {
      if (name !== "" && !boxes.has(name)) names.add(name);
      if (!name.includes(brk)) break;
    }
  }
  return names;
}

const ASK = 500; // names that go on one command line

/** Homes of the system accounts among `names` that qmail-getpw would use. */
function systemAccounts(names: ReadonlySet<string>, timeout: number): Map<string, string> {
  const askable = [...names].filter((name) => name.length < 32);
  const found = new Map<string, string>();
  for (let at = 0; at < askable.length; at += ASK) {
    for (const { name, uid, home } of findSystemAccounts(askable.slice(at, at + ASK), timeout)) {
      if (uid !== 0) found.set(name, home);
    }
  }
  return found;
}

function isThere(path: string): boolean {
  try {
    return toText(path) !== undefined && statSync(toBuffer(path), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof Trouble) return undefined;
    throw error;
  }
}
