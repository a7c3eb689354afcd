import type { FindMailboxes, Login, Mailbox } from "@qmail-mysql/accounts";
import type { FindVirtual } from "@qmail-mysql/routing";
import { Trouble } from "@qmail-mysql/unix";
import { lower, toText } from "@qmail-mysql/wire";
import type { Database, Row } from "./database.ts";
import { BATCH, statements } from "./statements.ts";

/** The questions the programs ask. Each answers found or surely none, and throws on trouble. */
export interface Store {
  readonly findMailboxes: FindMailboxes;
  readonly findLogin: (name: string) => Promise<Login | undefined>;
  /** The first password in the table, for a stranger's login to be compared with. */
  readonly decoy: () => Promise<Pick<Login, "password" | "passwordType"> | undefined>;
  readonly findVirtual: FindVirtual;
  readonly close: () => Promise<void>;
}

export function storeOver(database: Database): Store {
  return {
    findMailboxes: async (names) => {
      const found: Mailbox[] = [];
      const texts = askable(names);
      for (let at = 0; at < texts.length; at += BATCH) {
        const batch = texts.slice(at, at + BATCH);
        const padded = [...batch, ...Array<string>(BATCH - batch.length).fill(batch[0] ?? "")];
        found.push(...(await database.query(statements.findMailboxes, padded)).map(toMailbox));
      }
      return only(found, names);
    },
    findLogin: async (name) => {
      const text = toText(name);
      if (text === undefined) return undefined;
      const rows = await database.query(statements.findLogin, [text]);
      return only(rows.map(toLogin), [name])[0];
    },
    decoy: async () => {
      const [row] = await database.query(statements.decoy, []);
      return row && { password: row.password ?? "", passwordType: row.password_type ?? "" };
    },
    findVirtual: async (local, host) => {
      const text = toText(local);
      const hostText = toText(host);
      if (text === undefined || hostText === undefined) return [];
      const rows = await database.query(statements.findVirtual, [hostText, text, ""]);
      return rows.map((row) => ({
        username: row.username ?? "",
        ext: row.ext ?? "",
        virtualUsername: row.virtual_username ?? "",
        virtualHost: row.virtual_host ?? "",
      }));
    },
    close: () => database.close(),
  };
}

/** Names that have an exact text: a name that is not UTF-8 is in no table. */
function askable(names: readonly string[]): string[] {
  return names.map(toText).filter((text) => text !== undefined);
}

/** A database compares as its collation likes (jose = josé, "joe " = joe): only the very names asked for count. */
function only<T extends Mailbox>(found: readonly T[], names: readonly string[]): T[] {
  const asked = new Set(names);
  return found.filter((mailbox) => asked.has(lower(mailbox.username)));
}

/** A row that cannot be meant is trouble, not absence: somebody will mend it, and the mail waits. */
export function toMailbox(row: Row): Mailbox {
  const username = row.username ?? "";
  const wrong = (column: string, expected: string): never => {
    throw new Trouble(`MySQL misconfiguration: mailbox row "${username}": ${column}: expected ${expected}`);
  };
  const id = (column: string): number => {
    const value = row[column] ?? "";
    return /^\d{1,10}$/.test(value) && Number(value) < 2 ** 32 - 1
      ? Number(value)
      : wrong(column, "a number below 4294967295");
  };
  const home = row.home ?? "";
  if (!home.startsWith("/") || /[\0\n]/.test(home)) wrong("home", "an absolute path");
  if (/[\0\n]/.test(username)) wrong("username", "no line end");
  return {
    username,
    uid: id("uid"),
    gid: id("gid"),
    home,
    suspended: lower(row.suspended ?? "") === "y",
  };
}

function toLogin(row: Row): Login {
  return { ...toMailbox(row), password: row.password ?? "", passwordType: row.password_type ?? "" };
}
