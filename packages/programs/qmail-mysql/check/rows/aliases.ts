import { aliasInstruction } from "@qmail-mysql/dotqmail";
import { AliasMisconfiguration, type AliasRow, programsWithoutPlace } from "@qmail-mysql/routing";
import { lower, splitAddress } from "@qmail-mysql/wire";
import { word } from "../../output/shell.ts";
import { Undeliverable } from "../../trace/local-side.ts";
import { groups } from "./memory.ts";
import { type CheckPorts, tryAddress } from "./ports.ts";
import { aliasColumns, aliasName, type Problem, rowSql } from "./problem.ts";

type SqlFix = (sql: string) => string;

/** Checks each row of alias, and the rows of each address together. */
export async function* checkAliases(ports: CheckPorts, sqlFix: SqlFix): AsyncGenerator<Problem> {
  const { aliases } = ports.memory;
  for (const row of aliases) yield* checkRow(row, ports, sqlFix);
  for (const rows of groups(aliases, (row) => `${lower(row.username)}\0${lower(row.alias)}`).values()) {
    yield* checkGroup(rows, ports, sqlFix);
  }
}

async function* checkRow(row: AliasRow, ports: CheckPorts, sqlFix: SqlFix): AsyncGenerator<Problem> {
  const what = aliasName(row);
  const remove = sqlFix(rowSql.remove("alias", aliasColumns(row)));
  if (row.username === "") {
    yield { what, problem: "has no username: nobody's mail goes by it", fix: remove };
    return;
  }
  try {
    aliasInstruction(row);
  } catch (error) {
    if (!(error instanceof AliasMisconfiguration)) throw error;
    const problem = `${error.message.replace(/^.*?\) /, "")}; its mail waits`;
    yield { what, problem, fix: split(row, sqlFix) ?? remove };
  }
  if (!(await ports.isAccount(lower(row.username)))) {
    yield {
      what,
      problem: `nobody can reach it: there is no mailbox or account "${row.username}"`,
      fix: `qmail-mysql alias del ${word(row.username)} ${word(row.alias)}`,
    };
  }
}

/** The correction for an instruction such as ./Maildir/ in alias_username alone, which belongs in both columns. */
function split(row: AliasRow, sqlFix: SqlFix): string | undefined {
  const { aliasUsername: left, aliasHost: right } = row;
  if (!/^[./|]./.test(left)) return undefined;
  const wanted = { alias_username: left[0] ?? "", alias_host: left.slice(1) + right };
  return sqlFix(rowSql.update("alias", wanted, aliasColumns(row)));
}

/** Checks the delivery by the rows of one address, and their order. */
async function* checkGroup(
  rows: readonly AliasRow[],
  ports: CheckPorts,
  sqlFix: SqlFix,
): AsyncGenerator<Problem> {
  const [first] = rows;
  if (!first || first.username === "" || !(await ports.isAccount(lower(first.username)))) return;
  const { settings } = ports;
  const isAlias = lower(first.username) === settings.aliasUser;
  const { local: ext, host } = splitAddress(first.alias) ?? { local: first.alias, host: "" };
  const name = isAlias ? ext : ext === "" ? first.username : `${first.username}${settings.breakChar}${ext}`;
  const atAny = first.alias === "@"; // any extension; splitAddress returns an empty local part for it
  const local = atAny ? `${isAlias ? "" : `${first.username}${settings.breakChar}`}@` : name;
  const { error, owner } = await tryAddress(local, atAny ? "" : host, ports);
  if (error instanceof Undeliverable && owner && lower(owner.user) === lower(first.username) && ext !== "") {
    yield { what: aliasName(first), problem: `${error.message}; its mail waits`, fix: error.obstacle.fix };
  }
  yield* checkOrder(rows, ports, sqlFix);
}

/** Reports programs beside other instructions of an address without a position, since their order matters. */
async function* checkOrder(
  rows: readonly AliasRow[],
  ports: CheckPorts,
  sqlFix: SqlFix,
): AsyncGenerator<Problem> {
  const [first] = rows;
  if (!first || programsWithoutPlace(rows).length === 0) return;
  const placed = await ports.findAliases(lower(first.username), [lower(first.alias)]);
  const programs = programsWithoutPlace(placed);
  if (programs.length === 0) return;
  const hasColumn = placed.some((row) => row.position !== undefined);
  const steps = programs.map((row, i) =>
    rowSql.update("alias", { position: String(i - programs.length) }, aliasColumns(row)),
  );
  const add = hasColumn ? [] : ["ALTER TABLE alias ADD COLUMN position INTEGER NOT NULL DEFAULT 0"];
  yield {
    what: aliasName(programs[0] ?? first),
    problem:
      "runs a program beside other instructions of its address: it comes first, and no position says so",
    fix: sqlFix([...add, ...steps].join("; ")),
  };
}
