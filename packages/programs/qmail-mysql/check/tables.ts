import { aliasInstruction } from "@qmail-mysql/dotqmail";
import { AliasMisconfiguration, type AliasRow, type VirtualRow } from "@qmail-mysql/routing";
import { lower } from "@qmail-mysql/wire";
import type { Problem } from "./problem.ts";
import { aliasName, MAGIC_USER, type Routes, virtualName } from "./routes.ts";

/** Files beside the tables. */
export interface Surroundings {
  /** Are there .qmail files in this user's home that take this extension? */
  readonly hasDotQmail: (user: string, ext: string) => boolean;
  readonly rcpthosts: (host: string) => boolean;
  readonly locals: ReadonlySet<string>;
  /** Does control/virtualdomains send this host's mail to us? */
  readonly isVirtualDomain: (host: string) => boolean;
}

/** What is wrong with the rows of alias, each alone and with the others. */
export function* checkAliases(rows: readonly AliasRow[], routes: Routes): Generator<Problem> {
  for (const row of rows) {
    const what = aliasName(row);
    if (row.username === "") {
      yield {
        what,
        problem: "has no username: nobody's mail goes by it",
        fix: "set username, or delete the row",
      };
      continue;
    }
    try {
      aliasInstruction(row);
    } catch (error) {
      if (!(error instanceof AliasMisconfiguration)) throw error;
      const problem = `${error.message.replace(/^.*?\) /, "")}; its mail waits`;
      yield { what, problem, fix: instructionFix(row) };
    }
    if (!routes.isAccount(lower(row.username))) {
      yield {
        what,
        problem: `nobody can reach it: there is no mailbox or account "${row.username}"`,
        fix: `qmail-mysql user add ${row.username}, or qmail-mysql alias del ${row.username} '${row.alias}'`,
      };
    }
  }
}

function instructionFix({ aliasUsername: left, aliasHost: right }: AliasRow): string {
  if (left === "" && right === "")
    return "set alias_username to '.' and alias_host to '/Maildir/', or delete the row";
  if (/^[./|]./.test(left)) {
    return `set alias_username to '${left[0]}' and alias_host to '${left.slice(1)}${right}'`;
  }
  return "set alias_username, or delete the row";
}

/** What is wrong with the rows of virtual, and with where they lead. */
export function* checkVirtual(
  rows: readonly VirtualRow[],
  routes: Routes,
  files: Surroundings,
): Generator<Problem> {
  const { settings } = routes;
  const owners = new Map<string, string>();
  const hosts = new Set<string>();
  for (const row of rows) {
    const what = virtualName(row);
    const user = lower(row.virtualUsername);
    const host = lower(row.virtualHost);
    if (row.username === "") {
      yield { what, problem: "has no username; its mail waits", fix: "set username, or delete the row" };
      continue;
    }
    if (host === "") {
      yield {
        what,
        problem: "has no virtual_host: no address matches",
        fix: "set virtual_host, or delete the row",
      };
      continue;
    }
    hosts.add(host);
    if (settings.funkyQueries && user === "") {
      yield {
        what,
        problem: "a blank virtual_username is no catch-all with funky_queries",
        fix: "UPDATE `virtual` SET virtual_username='%' WHERE virtual_username=''",
      };
    }
    if (!settings.funkyQueries && /%/.test(user + host)) {
      yield {
        what,
        problem: "is a pattern, and funky_queries is off: no address matches",
        fix: "funky_queries yes in control/sqlserver, or for a catch-all a blank virtual_username",
      };
      continue;
    }
    const key = `${user}@${host}`;
    const target = `${lower(row.username)}\0${row.ext}`;
    if ((owners.get(key) ?? target) !== target) {
      yield {
        what,
        problem: `another row gives ${key} to somebody else`,
        fix: `delete one of the rows of ${key}`,
      };
    }
    owners.set(key, target);
    yield* leadsNowhere(row, what, routes, files);
  }
  for (const host of hosts) yield* checkHost(host, files);
}

function* leadsNowhere(
  row: VirtualRow,
  what: string,
  routes: Routes,
  files: Surroundings,
): Generator<Problem> {
  const { settings } = routes;
  if (lower(row.username) === MAGIC_USER && row.ext.includes("@")) {
    if (settings.magicForwarding) return;
    yield {
      what,
      problem: "is for magic forwarding, which is off",
      fix: "magic_forwarding yes in control/sqlserver, or qmail-mysql alias add forward EXT ADDRESS and that EXT here",
    };
    return;
  }
  const { user, ext } = routes.owner(
    row.ext === "" ? row.username : `${row.username}${settings.breakChar}${row.ext}`,
  );
  if (ext === "" && user !== settings.aliasUser) return;
  if (
    ext === "@" &&
    !routes.hasAliases(user, ext, row.virtualHost) &&
    routes.hasAliases(user, "", row.virtualHost)
  ) {
    yield {
      what,
      problem: `ext @ wants an alias '@' of "${user}", which has only the blank one of before qmail/MySQL 1.1.2; its mail waits`,
      fix: `UPDATE alias SET alias='@' WHERE username='${user}' AND alias=''`,
    };
    return;
  }
  if (routes.hasAliases(user, ext, row.virtualHost) || files.hasDotQmail(user, ext)) return;
  yield user === settings.aliasUser && lower(row.username) !== user
    ? {
        what,
        problem: `there is no mailbox or account "${row.username}", and no alias for "${ext}": its mail bounces`,
        fix: `qmail-mysql user add ${row.username}`,
      }
    : {
        what,
        problem: `"${user}" has no alias and no .qmail file for "${ext}": its mail bounces`,
        fix: `qmail-mysql alias add ${user} '${ext}' ./Maildir/`,
      };
}

function* checkHost(host: string, files: Surroundings): Generator<Problem> {
  if (/[%_]/.test(host)) return; // a pattern names no host
  const what = `virtual host ${host}`;
  if (files.locals.has(host)) {
    yield {
      what,
      problem: "is in control/locals, which comes first",
      fix: `take ${host} out of control/locals, then HUP qmail-send`,
    };
  } else if (!files.isVirtualDomain(host)) {
    yield {
      what,
      problem: "is not in control/virtualdomains: qmail-send sends its mail out, or bounces it (#5.4.6)",
      fix: "rebuild-cdb",
    };
  }
  if (!files.rcpthosts(host)) {
    yield {
      what,
      problem: "is in neither control/rcpthosts nor control/morercpthosts.cdb: mail from outside is refused",
      fix: `qmail-mysql domain add ${host}, then rebuild-cdb`,
    };
  }
}

/** Addresses that are forwarded until they come back. */
export function* checkLoops(
  aliases: readonly AliasRow[],
  virtuals: readonly VirtualRow[],
  routes: Routes,
): Generator<Problem> {
  const done = new Set<string>();
  const starts = [
    ...aliases.flatMap((row) => routes.forwards([row])),
    ...virtuals.filter((row) => row.ext.includes("@")).map((row) => row.ext),
  ];
  for (const start of starts) {
    // Depth first, without recursion: a chain may be as long as the table.
    const path: string[] = [];
    const onPath = new Set<string>();
    const stack: (string | undefined)[] = [lower(start)];
    while (stack.length > 0) {
      const address = stack.pop();
      if (address === undefined) {
        onPath.delete(path.pop() ?? "");
        continue;
      }
      if (onPath.has(address)) {
        const loop = [...path.slice(path.indexOf(address)), address];
        yield {
          what: address,
          problem: `is forwarded in a loop: ${loop.slice(0, 8).join(" -> ")}`,
          fix: "change or delete one of these rows",
        };
        continue;
      }
      if (done.has(address)) continue;
      done.add(address);
      path.push(address);
      onPath.add(address);
      stack.push(undefined, ...routes.next(address).map(lower));
    }
  }
}
