import { type Database, type Row, statements } from "@qmail-mysql/database";
import { Die, HARD } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { change, notKept, text } from "./change.ts";

/** A mailbox to add; strings are byte strings. */
export interface NewMailbox {
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly password: string;
  readonly passwordType: string;
}

/**
 * Returns the row of a mailbox, undefined if there is none. Throws Die if other names are equal in the collation (jose,
 * josé), since a change would affect their rows, too.
 */
export async function findMailbox(database: Database, name: string): Promise<Row | undefined> {
  const rows = await database.query(statements.showMailbox, [text(name)]);
  const exact = rows.filter((row) => lower(row.username ?? "") === name);
  const other = rows.find((row) => !exact.includes(row));
  if (other) {
    throw new Die(
      HARD,
      `mailbox "${name}": to the database this is the same name as "${other.username}", which exists; fix: choose another name, or give mailbox.username a binary collation`,
    );
  }
  if (exact.length > 1) {
    throw new Die(
      HARD,
      `mailbox "${name}": ${exact.length} rows have this name; fix: delete all but one of them`,
    );
  }
  return exact[0];
}

export async function mustFind(database: Database, name: string): Promise<Row> {
  const row = await findMailbox(database, name);
  if (!row) throw new Die(HARD, `no mailbox "${name}" (qmail-mysql user list shows those there are)`);
  return row;
}

export async function insertMailbox(database: Database, box: NewMailbox): Promise<void> {
  const { username, uid, gid, home, password, passwordType } = box;
  const values = [text(username), uid, gid, text(home), text(password), passwordType];
  await change(database, "mailbox", `mailbox "${username}"`, statements.addMailbox, values);
  const undo = () => database.change(statements.deleteMailbox, [text(username)]);
  const wanted = {
    username,
    uid: String(uid),
    gid: String(gid),
    home,
    password,
    password_type: passwordType,
  };
  await verify(database, username, wanted, undo);
}

export async function storePassword(
  database: Database,
  row: Row,
  password: string,
  type: string,
): Promise<void> {
  const name = row.username ?? "";
  await change(database, "mailbox", `mailbox "${name}"`, statements.setPassword, [
    text(password),
    type,
    text(name),
  ]);
  const undo = () =>
    database.change(statements.setPassword, [text(row.password ?? ""), row.password_type ?? "", text(name)]);
  await verify(database, name, { password, password_type: type }, undo);
}

export async function storeSuspended(database: Database, row: Row, suspended: "N" | "Y"): Promise<void> {
  const name = row.username ?? "";
  await change(database, "mailbox", `mailbox "${name}"`, statements.setSuspended, [suspended, text(name)]);
  const undo = () => database.change(statements.setSuspended, [row.suspended ?? "N", text(name)]);
  await verify(database, name, { suspended }, undo);
}

/** Sets those of uid, gid and home that are given. */
export async function storePlace(
  database: Database,
  row: Row,
  place: { readonly uid?: number; readonly gid?: number; readonly home?: string },
): Promise<void> {
  const name = row.username ?? "";
  const old = { uid: row.uid ?? "", gid: row.gid ?? "", home: row.home ?? "" };
  const wanted = {
    uid: String(place.uid ?? old.uid),
    gid: String(place.gid ?? old.gid),
    home: place.home ?? old.home,
  };
  const values = ({ uid, gid, home }: typeof old) => [uid, gid, text(home), text(name)];
  await change(database, "mailbox", `mailbox "${name}"`, statements.setMailbox, values(wanted));
  const undo = () => database.change(statements.setMailbox, values(old));
  await verify(database, name, wanted, undo);
}

export async function renameMailbox(database: Database, row: Row, to: string): Promise<void> {
  const name = row.username ?? "";
  await change(database, "mailbox", `mailbox "${to}"`, statements.renameMailbox, [text(to), text(name)]);
  const undo = () => database.change(statements.renameMailbox, [text(name), text(to)]);
  await verify(database, to, { username: to }, undo);
}

export async function deleteMailbox(database: Database, row: Row): Promise<void> {
  await database.change(statements.deleteMailbox, [text(row.username ?? "")]);
}

/** Verifies what was stored, since a server that is not strict, or a trigger, may have changed it. */
async function verify(
  database: Database,
  name: string,
  wanted: Readonly<Record<string, string>>,
  undo: () => Promise<unknown>,
): Promise<void> {
  const rows = await database.query(statements.showMailbox, [text(name)]);
  const row = rows.find((candidate) => lower(candidate.username ?? "") === lower(name));
  const column = Object.keys(wanted).find((key) => (row?.[key] ?? "") !== wanted[key]);
  if (row && column === undefined) return;
  await undo();
  throw notKept("mailbox", `mailbox "${name}"`, column ?? "username");
}
