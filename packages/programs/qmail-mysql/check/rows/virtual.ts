import { Failure } from "@qmail-mysql/delivery";
import { AliasMisconfiguration, isMagic, type VirtualRow } from "@qmail-mysql/routing";
import { HARD } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { word } from "../../output/shell.ts";
import { type CheckPorts, tryAddress } from "./ports.ts";
import { type Problem, rowSql, virtualName } from "./problem.ts";

type SqlFix = (sql: string) => string;

const columnsOf = (row: VirtualRow) => ({
  username: row.username,
  ext: row.ext,
  virtual_username: row.virtualUsername,
  virtual_host: row.virtualHost,
});

/** Checks the rows of virtual, and the deliveries they lead to. */
export async function* checkVirtual(ports: CheckPorts, sqlFix: SqlFix): AsyncGenerator<Problem> {
  const owners = new Map<string, VirtualRow>();
  for (const row of ports.memory.virtuals) {
    const what = virtualName(row);
    const remove = sqlFix(rowSql.remove("virtual", columnsOf(row)));
    const user = lower(row.virtualUsername);
    const host = lower(row.virtualHost);
    if (row.username === "") {
      yield { what, problem: "has no username; its mail waits", fix: remove };
      continue;
    }
    if (host === "") {
      yield { what, problem: "has no virtual_host: no address matches", fix: remove };
      continue;
    }
    const spelling = checkSpelling(row, ports, sqlFix);
    if (spelling) yield spelling;
    if (spelling) continue;
    const key = `${user}@${host}`;
    const other = owners.get(key);
    if (other && `${lower(other.username)}\0${other.ext}` !== `${lower(row.username)}\0${row.ext}`) {
      yield { what, problem: `another row gives ${key} to somebody else`, fix: remove };
    }
    owners.set(key, other ?? row);
    yield* leadsNowhere(row, what, ports, sqlFix);
  }
}

/** Reports a catch-all or a pattern in the form for the other value of funky_queries. */
function checkSpelling(row: VirtualRow, { settings }: CheckPorts, sqlFix: SqlFix): Problem | undefined {
  const what = virtualName(row);
  if (settings.funkyQueries && row.virtualUsername === "") {
    return {
      what,
      problem: "a blank virtual_username is no catch-all with funky_queries",
      fix: sqlFix("UPDATE `virtual` SET virtual_username='%' WHERE virtual_username=''"),
    };
  }
  if (settings.funkyQueries || !/%/.test(row.virtualUsername + row.virtualHost)) return undefined;
  const blank = rowSql.update("virtual", { virtual_username: "" }, columnsOf(row));
  return {
    what,
    problem: "is a pattern, and funky_queries is off: no address matches",
    fix:
      row.virtualUsername === "%" && !row.virtualHost.includes("%")
        ? sqlFix(blank)
        : sqlFix(rowSql.remove("virtual", columnsOf(row))),
  };
}

async function* leadsNowhere(
  row: VirtualRow,
  what: string,
  ports: CheckPorts,
  sqlFix: SqlFix,
): AsyncGenerator<Problem> {
  const { settings } = ports;
  if (isMagic(row.username, row.ext)) {
    if (settings.magicForwarding) return;
    yield {
      what,
      problem: "is for magic forwarding, which is off",
      fix: `echo magic_forwarding yes >>${word(`${ports.home}/control/sqlserver`)}`,
    };
    return;
  }
  const host = example(lower(row.virtualHost));
  const local = example(lower(row.virtualUsername)) || "address-without-a-row";
  const { owner, error } = await tryAddress(`${host}-${local}`, host, ports);
  if (!owner || !(error instanceof Failure || error instanceof AliasMisconfiguration)) return;
  const { user, ext } = owner;
  if (error instanceof AliasMisconfiguration) {
    if (!/blank alias/.test(error.message)) return;
    yield {
      what,
      problem: `ext @ wants an alias '@' of "${user}", which has only the blank one of before qmail/MySQL 1.1.2; its mail waits`,
      fix: sqlFix(`UPDATE alias SET alias='@' WHERE username='${user}' AND alias=''`),
    };
    return;
  }
  if (error.code !== HARD) return; // reported with the mailbox or the alias
  yield user === settings.aliasUser && lower(row.username) !== user
    ? {
        what,
        problem: `there is no mailbox or account "${row.username}", and no alias for "${ext}": its mail bounces`,
        fix: `qmail-mysql virtual del ${word(`${row.virtualUsername.replace(/^%$/, "")}@${row.virtualHost}`)}`,
      }
    : {
        what,
        problem: `"${user}" has no alias and no .qmail file for "${ext}": its mail bounces`,
        fix: `qmail-mysql alias add ${word(user)} ${word(ext)} ./Maildir/`,
      };
}

/** Returns a string that matches a LIKE pattern. */
const example = (pattern: string): string =>
  pattern
    .replaceAll("%", "any")
    .replace(/(?<!\\)_/g, "x")
    .replaceAll("\\", "");
