import { type Database, type Row, statements } from "@qmail-mysql/database";
import { hash } from "@qmail-mysql/password/hash";
import { MAGIC_USER } from "@qmail-mysql/routing";
import { Die, HARD, Usage } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import type { Context } from "../context.ts";
import { homeState } from "../edge/home-state.ts";
import { makeHome } from "../edge/make-home.ts";
import { eachRow, type ListOptions, list } from "../output/list.ts";
import { json, printable } from "../output/table.ts";
import {
  deleteMailbox,
  findMailbox,
  insertMailbox,
  mustFind,
  renameMailbox,
  storePassword,
  storePlace,
  storeSuspended,
} from "../tables/mailboxes.ts";
import { ALIAS, addRow, deleteRow, named, type RowTable, VIRTUAL } from "../tables/rows.ts";
import { PASSWORD_TYPES, type PasswordType } from "./input.ts";
import { readPassword } from "./password.ts";

export interface AddOptions {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly type: PasswordType;
  readonly createHome?: true;
}

export async function add(context: Context, username: string, options: AddOptions): Promise<void> {
  const { uid, gid, home, type, createHome } = options;
  await context.withDatabase("write", async (database, config) => {
    if (await findMailbox(database, username)) {
      throw new Die(HARD, `mailbox "${username}" exists (its password: qmail-mysql user passwd ${username})`);
    }
    const password = hash(await readPassword(username), PASSWORD_TYPES[type]);
    const undoHome = createHome ? makeHome(home, uid, gid) : () => {};
    const row = { username, uid, gid, home, password, passwordType: PASSWORD_TYPES[type] };
    await insertMailbox(database, row).catch((error) => {
      undoHome();
      throw error;
    });
    if (username === MAGIC_USER && config.magicForwarding) {
      context.warn('with magic_forwarding a mailbox named "forward" must not exist');
    }
  });
  warnOfHome(context, username, home, uid, gid);
}

export async function passwd(
  context: Context,
  name: string,
  options: { type?: PasswordType; hash?: true },
): Promise<void> {
  await context.withDatabase("write", async (database) => {
    const row = await mustFind(database, name);
    const type = options.type ?? typeOf(row) ?? "crypt";
    const typed = await readPassword(name);
    const password = options.hash ? typed : hash(typed, PASSWORD_TYPES[type]);
    await storePassword(database, row, password, PASSWORD_TYPES[type]);
  });
}

function typeOf(row: Row): PasswordType | undefined {
  const types = Object.keys(PASSWORD_TYPES) as PasswordType[];
  return types.find((type) => PASSWORD_TYPES[type].toLowerCase() === row.password_type?.toLowerCase());
}

export interface SetOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly home?: string;
}

export async function set(context: Context, name: string, options: SetOptions): Promise<void> {
  if (Object.keys(options).length === 0) throw new Usage(HARD, "expected --uid, --gid or --home");
  const row = await context.withDatabase("write", async (database) => {
    const found = await mustFind(database, name);
    await storePlace(database, found, options);
    return { uid: Number(found.uid), gid: Number(found.gid), home: found.home ?? "", ...options };
  });
  warnOfHome(context, name, row.home, row.uid, row.gid);
}

/** Warns if the home of a new mailbox cannot be used, since its mail is then deferred or goes to alias. */
function warnOfHome(context: Context, name: string, home: string, uid: number, gid: number): void {
  const { problem, fix } = homeState(home, uid, gid);
  if (problem) context.warn(`mail for "${name}" is not delivered: ${problem}; fix: ${fix}`);
}

export async function setSuspended(context: Context, name: string, suspended: boolean): Promise<void> {
  await context.withDatabase("write", async (database) => {
    await storeSuspended(database, await mustFind(database, name), suspended ? "Y" : "N");
  });
}

export async function del(context: Context, name: string, options: { cascade?: true }): Promise<void> {
  const { row, rest } = await context.withDatabase("write", async (database) => {
    const found = await mustFind(database, name);
    const others = await rowsOf(database, name);
    if (options.cascade) for (const [table, one] of others) await deleteRow(database, table, one);
    await deleteMailbox(database, found);
    return { row: found, rest: options.cascade ? [] : others };
  });
  context.print(`mailbox "${printable(name)}" is deleted; its home stays: ${printable(row.home ?? "")}\n`);
  for (const [table, one] of rest)
    context.print(`${printable(named(table, one))} stays (--cascade deletes it)\n`);
}

/** The rows of alias and virtual that contain a mailbox's name. */
async function rowsOf(database: Database, name: string): Promise<[RowTable, Row][]> {
  const found: [RowTable, Row][] = [];
  for (const [table, statement] of [
    [ALIAS, statements.listAliases],
    [VIRTUAL, statements.listVirtual],
  ] as const) {
    await eachRow(database, statement, table.columns, (row) => {
      if (lower(row.username ?? "") === name) found.push([table, row]);
    });
  }
  return found;
}

export async function rename(context: Context, name: string, to: string): Promise<void> {
  await context.withDatabase("write", async (database) => {
    const row = await mustFind(database, name);
    if (await findMailbox(database, to)) throw new Die(HARD, `mailbox "${to}" exists`);
    await renameMailbox(database, row, to);
    for (const [table, one] of await rowsOf(database, name)) {
      await addRow(database, table, { ...one, username: to });
      await deleteRow(database, table, one);
    }
  });
}

interface Shown {
  readonly username: string;
  /** A number; any other value is returned unchanged. */
  readonly uid: number | string;
  readonly gid: number | string;
  readonly home: string;
  readonly password_type: string;
  readonly suspended: boolean;
}

function shown(row: Row): Shown {
  const number = (value = "") => (/^\d{1,15}$/.test(value) ? Number(value) : value);
  return {
    username: row.username ?? "",
    uid: number(row.uid),
    gid: number(row.gid),
    home: row.home ?? "",
    password_type: row.password_type ?? "",
    suspended: row.suspended?.toLowerCase() === "y",
  };
}

export function listUsers(context: Context, options: ListOptions): Promise<void> {
  const columns = ["username", "uid", "gid", "home", "suspended", "password_type"];
  return list(context, { statement: statements.listMailboxes, columns, matches: () => true, shown }, options);
}

export async function show(context: Context, name: string, options: { json?: true }): Promise<void> {
  const row = await context.withDatabase("read", (database) => mustFind(database, name));
  const box = shown(row);
  const state = homeState(box.home, Number(box.uid), Number(box.gid));
  if (options.json) {
    return context.print(
      json({ ...box, password_set: row.password !== "", home_problem: state.problem ?? null }),
    );
  }
  const lines = [
    ["username", box.username],
    ["uid", String(box.uid)],
    ["gid", String(box.gid)],
    ["home", box.home],
    ["password", `${row.password === "" ? "none" : "set"} (${box.password_type})`],
    ["suspended", box.suspended ? "Y (logins are refused)" : "N"],
    ["usable", state.problem ? `no: ${state.problem}; fix: ${state.fix}` : "yes"],
  ];
  for (const [key = "", value = ""] of lines)
    context.print(`${context.bold(key.padEnd(10))} ${printable(value)}\n`);
}
