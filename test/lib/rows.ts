/** A row of the mailbox table. Values are not quoted in the statement, and must not contain quotes. */
export interface MailboxRow {
  readonly name: string;
  readonly uid: number;
  /** The uid's own number unless given. */
  readonly gid?: number;
  readonly home: string;
  /** As stored; empty unless given. */
  readonly password?: string;
  /** The column password_type. */
  readonly type?: string;
  readonly suspended?: string;
}

/** The statement that inserts it, with its semicolon. */
export function mailboxRow({ name, uid, gid = uid, home, password = "", ...rest }: MailboxRow): string {
  const { type = "Password", suspended = "N" } = rest;
  return `INSERT INTO mailbox (username, uid, gid, home, password, password_type, suspended)
    VALUES ('${name}', ${uid}, ${gid}, '${home}', '${password}', '${type}', '${suspended}');`;
}
