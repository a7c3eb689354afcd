import { statSync } from "node:fs";
import { candidates } from "@qmail-mysql/dotqmail";
import { type AliasRow, rcptHostKeys, type VirtualRow, virtualDomainKeys } from "@qmail-mysql/routing";
import {
  type Database,
  openDatabase,
  type Row,
  readSqlServer,
  type Statement,
  statements,
} from "@qmail-mysql/store";
import { aliasUser, breakChar, findSystemAccounts, Trouble } from "@qmail-mysql/unix";
import { lower, toBuffer, toText } from "@qmail-mysql/wire";
import { checkFiles } from "./check-files.ts";
import { checkMailbox } from "./check-mailboxes.ts";
import { checkAliases, checkLoops, checkVirtual } from "./check-tables.ts";
import { columnFix } from "./column-fix.ts";
import { rcptHosts, sendControls, withCdb } from "./controls.ts";
import { writePrivileges } from "./privileges.ts";
import type { Problem } from "./problem.ts";
import { routesOf } from "./routes.ts";

const PROGRAM = "qmail-mysql";

/** Everything that is wrong, with what the mail programs themselves are configured to use. Throws Trouble. */
export async function* check(home: string): AsyncGenerator<Problem> {
  yield* checkFiles(home);
  const config = readSqlServer(home, PROGRAM, undefined, () => {});
  const database = await openDatabase(config, home, "resident");
  try {
    if (config.driver === "mysql") yield* checkAccount(database, config.db, config.login ?? "");
    const mailboxes: Row[] = [];
    const aliases: AliasRow[] = [];
    const virtuals: VirtualRow[] = [];
    const hosts: string[] = [];
    const complaints = [
      await read(
        database,
        "mailbox",
        statements.listMailboxes,
        ([username, uid, gid, home, suspended, type]) =>
          mailboxes.push({ username, uid, gid, home, suspended, password_type: type } as Row),
      ),
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
    if (complaints.length > 0) {
      yield* complaints;
      return;
    }

    const boxes = new Map(mailboxes.map((row) => [lower(row.username ?? ""), row.home ?? ""]));
    const settings = { ...config, breakChar: breakChar(), aliasUser: aliasUser() };
    const controls = attempt(() => sendControls(home));
    if (!controls) {
      yield {
        what: `${home}/control/me`,
        problem: "does not exist: qmail-send does not start",
        fix: `hostname -f >${home}/control/me`,
      };
      return;
    }
    const accounts = systemAccounts(namesToAsk(aliases, virtuals, boxes, settings.breakChar), config.timeout);
    const isAccount = (name: string) => boxes.has(name) || accounts.has(name);
    const homeOf = (user: string) => boxes.get(user) ?? accounts.get(user);
    const isLocal = (host: string) => controls.locals.has(host);
    const routes = routesOf(aliases, virtuals, isAccount, isLocal, settings);

    const seen = new Set<string>();
    for (const row of mailboxes) {
      yield* checkMailbox(row, seen, {
        magicForwarding: config.magicForwarding,
        hasOwnDelivery: (user) => routes.hasAliases(user, "", ""),
        exists: isThere,
      });
      seen.add(lower(row.username ?? ""));
    }
    yield* checkAliases(aliases, routes);
    yield* withCdb(`${home}/control/morercpthosts.cdb`, (cdb) => {
      const listed = rcptHosts(home);
      const isAccepted = (host: string) =>
        !listed || rcptHostKeys(host).some((key) => listed.has(key) || cdb?.get(key) !== undefined);
      return [
        ...checkVirtual(virtuals, routes, {
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
        ...hosts
          .filter((host) => host !== "" && !isAccepted(host))
          .map((host) => ({
            what: `rcpthosts row ("${host}")`,
            problem: "is not in control/morercpthosts.cdb: mail from outside is refused",
            fix: "rebuild-cdb",
          })),
      ];
    });
    yield* checkLoops(aliases, virtuals, routes);
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

async function* checkAccount(database: Database, db: string, login: string): AsyncGenerator<Problem> {
  const grants = (await database.query(statements.showGrants, [])).map((row) => Object.values(row)[0] ?? "");
  const found = writePrivileges(grants, db);
  if (found.length === 0) return;
  yield {
    what: `database user "${login}"`,
    problem: `may do more than SELECT: ${found.join(", ")}; who reads control/sqlserver can change every mailbox`,
    fix: "qmail-mysql init --grants, and control/sqlserver-admin for what has to write",
  };
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
