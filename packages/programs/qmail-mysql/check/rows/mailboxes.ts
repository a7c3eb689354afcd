import { type Row, toMailbox } from "@qmail-mysql/database";
import { Failure } from "@qmail-mysql/delivery";
import { MAGIC_USER } from "@qmail-mysql/routing";
import { HARD, Trouble } from "@qmail-mysql/trouble";
import { lower, toBuffer } from "@qmail-mysql/wire";
import { exists } from "../../edge/files.ts";
import { homeState } from "../../edge/home-state.ts";
import { makeMaildir, word } from "../../output/shell.ts";
import { Undeliverable } from "../../trace/local-side.ts";
import { PASSWORD_TYPES } from "../../user/input.ts";
import { type CheckPorts, tryAddress } from "./ports.ts";
import type { Problem } from "./problem.ts";

const TYPES = Object.values(PASSWORD_TYPES).map(lower);

/** Checks a row of mailbox, and its home. */
export async function* checkMailbox(
  row: Row,
  ports: CheckPorts,
  sqlFix: (sql: string) => string,
): AsyncGenerator<Problem> {
  const name = row.username ?? "";
  const what = `mailbox "${name}"`;
  if (name === "") {
    yield { what, problem: "has no username", fix: sqlFix("DELETE FROM mailbox WHERE username = ''") };
    return;
  }
  if (ports.memory.twice.has(lower(name))) {
    yield { what, problem: "another row has the same name", fix: "delete all of them but one" };
  }
  if (!TYPES.includes(lower(row.password_type ?? ""))) {
    yield {
      what,
      problem: `its password_type "${row.password_type}" is unknown: nobody can log in`,
      fix: `qmail-mysql user passwd ${word(name)} --type crypt`,
    };
  }
  if (lower(name) === MAGIC_USER && ports.settings.magicForwarding) {
    yield {
      what,
      problem: "must not exist with magic_forwarding",
      fix: "qmail-mysql user del forward",
    };
  }
  try {
    yield* checkHome(what, toMailbox(row), ports);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield {
      what,
      problem: `${error.message.replace(/^.*?": /, "")}; its mail waits`,
      fix: columnFix(name, error),
    };
  }
}

function columnFix(name: string, error: Trouble): string {
  if (/suspended:/.test(error.message)) return `qmail-mysql user resume ${word(name)}`;
  const column = /: (uid|gid|home):/.exec(error.message)?.[1] ?? "uid";
  return `qmail-mysql user set ${word(name)} --${column} ...`;
}

async function* checkHome(
  what: string,
  box: ReturnType<typeof toMailbox>,
  ports: CheckPorts,
): AsyncGenerator<Problem> {
  const { username, uid, gid, home } = box;
  const { installed, settings } = ports;
  const others = installed.lspawn === "stock" && installed.getpwAs ? [installed.getpwAs] : [];
  const state = homeState(home, uid, gid, others);
  if (state.problem !== undefined) {
    const isMissing = /^home .*(owned by|file does not exist)/.test(state.problem);
    const toAlias = isMissing && settings.homeMismatch === "alias";
    const then = toAlias ? "; with home_mismatch alias its mail goes to alias, and may bounce" : "";
    const fix = uid === 0 || gid === 0 ? `qmail-mysql user set ${word(username)} ${idsOf(home)}` : state.fix;
    yield { what, problem: `${state.problem}${then}`, fix: fix ?? "" };
    return;
  }
  const { error } = await tryAddress(username, "", ports);
  if (error instanceof Undeliverable) {
    yield { what, problem: `${error.message}; its mail waits`, fix: error.obstacle.fix };
    return;
  }
  if (error instanceof Failure) {
    const then = error.code === HARD ? "bounces" : "waits";
    yield { what, problem: `${error.message}; its mail ${then}`, fix: `qmail-mysql trace ${word(username)}` };
    return;
  }
  const hasOwn = (await ports.store.findAliases(lower(username), [""])).length > 0;
  const has = (file: string) => exists(toBuffer(`${home}/${file}`));
  if (has("Maildir") || hasOwn || has("Mailbox") || has(".qmail")) return;
  yield {
    what,
    problem: `has no ${home}/Maildir: POP3 says "this user has no $HOME/Maildir"`,
    fix: makeMaildir(`${home}/Maildir`, uid, gid),
  };
}

/** The owner of a home as options of `user set`, from stat(1). */
function idsOf(home: string): string {
  return `$(stat -c '--uid %u --gid %g' ${word(home)})`;
}
