import { dirname } from "node:path";
import type { SqlServer } from "@qmail-mysql/control";
import { hasControl } from "@qmail-mysql/control-files";
import { sqldPath } from "@qmail-mysql/sqld-client";
import { openSite, sqliteFile, sqlServerFile } from "@qmail-mysql/store";
import { findSystemAccounts } from "@qmail-mysql/system";
import { Trouble } from "@qmail-mysql/trouble";
import { whyUnaskable } from "../edge/database-access.ts";
import { type Identity, withIdsOf } from "../edge/effective-ids.ts";
import { statIfPresent } from "../edge/files.ts";
import { unopenable } from "../edge/path-access.ts";
import { type Installation, listener } from "../edge/running.ts";
import { SQLD_ACCOUNT } from "../edge/sqld-setup.ts";
import { word } from "../output/shell.ts";
import { checkSecret, checkSqliteDirectory, secretFile } from "./files.ts";
import type { Problem } from "./rows/problem.ts";

/** What determines which programs use the database on this host. */
export interface Access {
  readonly home: string;
  readonly config: SqlServer;
  readonly installed: Installation;
  /** The users of the mailboxes, as which qmail-local runs; one for each uid and gid. */
  readonly users: readonly Identity[];
}

/**
 * Checks that every program that uses the database can do so, and that no other can read its password. Without
 * qmail-sqld the account of qmail-getpw reads the password. If qmail-local is ours, every user needs the database but
 * must not read the password, so that qmail-sqld is required.
 */
export async function* checkAccess(access: Access): AsyncGenerator<Problem> {
  const { home, config } = access;
  if (config.driver === "sqlite") yield* checkSqliteDirectory(sqliteFile(config, home));
  if (hasControl(home, "sqld")) {
    yield* checkSqld(access);
    return;
  }
  const secret = secretFile(config, home);
  const needsSqld = usersAsk(access.installed) && statIfPresent(`${home}/bin/qmail-local`) !== undefined;
  yield* checkSecret(secret, needsSqld ? setUp(home) : forGroup(secret, access.installed.getpwAs));
  if (config.driver === "mysql") {
    const admin = `${sqlServerFile(home)}-admin`;
    yield* checkSecret(admin, `chmod 600 ${word(admin)}`);
  }
  const { getpwAs, lspawn } = access.installed;
  if (getpwAs && lspawn === "stock") {
    const why = withIdsOf(getpwAs, () => whyUnaskable(home, config));
    if (why !== undefined) {
      yield {
        what: config.driver === "sqlite" && why.includes(secret) ? secret : sqlServerFile(home),
        problem: `is not readable by qmailp, uid ${getpwAs.uid} (${why}): all mail waits`,
        fix: readableFix(why, home, config, getpwAs),
      };
      return;
    }
  }
  if (!needsSqld) return;
  for (const user of access.users) {
    const why = withIdsOf(user, () => whyUnaskable(home, config));
    if (why === undefined) continue;
    const problem = `qmail-local runs as every user, and uid ${user.uid} cannot ask the database (${why}): all mail waits`;
    yield { what: sqlServerFile(home), problem, fix: setUp(home) };
    return;
  }
}

/** Does qmail-local itself read the tables? Ours does under a stock qmail-lspawn, and for programs and forwards. */
const usersAsk = ({ stockLocal }: Installation): boolean => !stockLocal;

const setUp = (home: string): string => `qmail-mysql init --sqld && ${startCommand(home)}`;

/** Starts qmail-sqld. Under a supervisor its run script does. */
const startCommand = (home: string): string =>
  `{ setsid setuidgid ${SQLD_ACCOUNT} ${word(`${home}/bin/qmail-sqld`)} </dev/null >/dev/null 2>&1 & sleep 1; } # or its run script`;

function forGroup(file: string, who: Identity | undefined): string {
  return who ? `chgrp ${who.gid} ${word(file)}; chmod 640 ${word(file)}` : `chmod o-r ${word(file)}`;
}

/** The command that lets the group of qmail-getpw's account, but no other, read what it has to. */
function readableFix(why: string, home: string, config: SqlServer, who: Identity): string {
  const files = [sqlServerFile(home), ...(config.driver === "sqlite" ? [sqliteFile(config, home)] : [])];
  const file = files.find((one) => why.includes(one)) ?? sqlServerFile(home);
  return unopenable(file, who, "r").fix ?? forGroup(file, who);
}

async function* checkSqld({ home, config, installed, users }: Access): AsyncGenerator<Problem> {
  const file = `${home}/control/sqld`;
  let socket: string | undefined;
  try {
    socket = sqldPath(home);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield { what: file, problem: error.message, fix: setUp(home) };
    return;
  }
  if (socket === undefined) return;
  yield* checkSqldFiles(home, config, socket);
  if (!statIfPresent(socket)?.isSocket()) {
    const problem = `names ${socket}, which is no socket: all mail waits`;
    yield {
      what: file,
      problem,
      fix: `mkdir -p ${word(dirname(socket))}; chown ${SQLD_ACCOUNT} ${word(dirname(socket))}; ${startCommand(home)}`,
    };
    return;
  }
  const clients = [
    ...(installed.lspawn === "stock" && installed.getpwAs ? [installed.getpwAs] : []),
    ...users,
  ];
  for (const who of clients) {
    const found = [unopenable(file, who, "r"), unopenable(socket, who, "rw")].find(
      ({ problem }) => problem !== undefined,
    );
    if (!found) continue;
    const path = found.problem?.startsWith(file) ? `chmod 644 ${word(file)}` : `chmod 666 ${word(socket)}`;
    yield { what: file, problem: `${found.problem}: its mail waits`, fix: found.fix ?? path };
    break;
  }
  try {
    const site = await openSite(home, "qmail-mysql", true);
    try {
      await site.store.findMailboxes(["postmaster"]);
    } finally {
      await site.store.close();
    }
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield { what: "qmail-sqld", problem: `${error.message}: all mail waits`, fix: restart(home, socket) };
  }
}

/** Kills and starts qmail-sqld: SIGKILL, since one that hangs does not handle SIGTERM. */
function restart(home: string, socket: string): string {
  const pid = listener(socket);
  return `${pid === undefined ? "" : `kill -KILL ${pid}; `}rm -f ${word(socket)}; ${startCommand(home)}`;
}

/** Checks the files that only qmail-sqld reads. */
function* checkSqldFiles(home: string, config: SqlServer, socket: string): Generator<Problem> {
  const running = statIfPresent(socket);
  const [account] = findSystemAccounts([SQLD_ACCOUNT], config.timeout);
  const uid = running && running.uid !== 0 ? running.uid : account?.uid;
  const gid = running && running.uid !== 0 ? running.gid : account?.gid;
  const files = [sqlServerFile(home), ...(config.driver === "sqlite" ? [sqliteFile(config, home)] : [])];
  for (const file of files) {
    const close =
      uid === undefined ? `chmod 600 ${word(file)}` : `chown ${uid} ${word(file)}; chmod 600 ${word(file)}`;
    const secret = file === secretFile(config, home) || config.driver === "mysql";
    if (secret) yield* checkSecret(file, close);
    if (uid === undefined || gid === undefined) continue;
    const found = unopenable(file, { uid, gid }, "r");
    if (found.problem === undefined) continue;
    yield { what: file, problem: `${found.problem}, qmail-sqld's account`, fix: found.fix ?? close };
  }
}
