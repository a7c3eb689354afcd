import { execFileSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import bcrypt from "bcryptjs";
import { type MariaDb, sqlFile, startMariaDb } from "../../test/lib/mariadb.ts";
import { BIN } from "../../test/lib/program.ts";
import { startSqld } from "../../test/lib/sqld.ts";
import { isRoot, makeWorld, type World } from "../../test/lib/world.ts";

/** A qmail home whose control/sqlserver leads to the mailboxes. */
export interface Site {
  readonly name: string;
  /** The driver of the C programs that it is compared with. */
  readonly twin: "mariadb" | "sqlite";
  readonly bar: number;
  readonly world: World;
}

/** The passwords: PASSWORD in clear for user0 ... user999, its $6$ for CRYPTED, its bcrypt for bcrypt0 ... bcrypt19. */
export const MAILBOXES = 1000;
export const BCRYPTED = 20;
export const BCRYPT_COST = 10;
export const PLAIN = "user500";
export const CRYPTED = "crypted";
export const PASSWORD = "correct horse";

const LOGIN = "login qmail\npassword secret\ndb qmail\n";

/** A MariaDB with the mailboxes; makes qmail homes that use it. */
export interface Mail {
  readonly server: MariaDb;
  readonly rows: string;
  /** A qmail home; `where` are the lines of control/sqlserver that name the server. */
  site(where?: string): World;
  stop(): Promise<void>;
}

export async function startMail(): Promise<Mail> {
  const server = await startMariaDb();
  const worlds: World[] = [];
  const site = (where = `server ${server.socket}`) => {
    const world = makeWorld();
    worlds.push(world);
    world.control("sqlserver", `${where}\n${LOGIN}`);
    return world;
  };
  // All use the home of the first; they differ only in the database.
  const rows = mailboxes(site());
  server.sql(`CREATE DATABASE qmail; CREATE USER qmail@'%' IDENTIFIED BY 'secret'; GRANT SELECT ON qmail.* TO qmail@'%';
    CREATE USER qmail@localhost IDENTIFIED BY 'secret'; GRANT SELECT ON qmail.* TO qmail@localhost;`);
  server.sql(`${sqlFile("mysql/schema.sql")};${rows}`, "qmail");
  return {
    server,
    rows,
    site,
    async stop() {
      for (const world of worlds) world.remove();
      await server.stop();
    },
  };
}

/** Each way to read the same mailboxes. */
export function sites({ server, rows, site }: Mail): Site[] {
  const [socket, sqld, tcp, sqlite] = [site(), site(), site(`server 127.0.0.1\nport ${server.port}`), site()];
  const file = join(sqlite.home, "users/mail.db");
  execFileSync("sqlite3", ["-bail", file], { input: `${sqlFile("sqlite/schema.sql")};${rows}` });
  chmodSync(file, 0o644);
  sqlite.control("sqlserver", `driver sqlite\ndb ${file}\n`);
  startSqld(sqld);
  return [
    { name: "MariaDB, unix socket", twin: "mariadb", bar: 7, world: socket },
    { name: "MariaDB, TCP", twin: "mariadb", bar: 7, world: tcp },
    { name: "SQLite", twin: "sqlite", bar: 3, world: sqlite },
    { name: "through qmail-sqld", twin: "mariadb", bar: 3, world: sqld },
  ];
}

function mailboxes(world: World): string {
  const uid = isRoot ? 64800 : (process.getuid?.() ?? 0);
  const gid = isRoot ? 64100 : (process.getgid?.() ?? 0);
  const home = world.user("user", uid, gid);
  const crypted = execFileSync("openssl", ["passwd", "-6", "-salt", "saltsaltsaltsalt", PASSWORD]);
  const bcrypted = bcrypt.hashSync(PASSWORD, BCRYPT_COST);
  const row = (name: string, password: string, type: string) =>
    `('${name}', ${uid}, ${gid}, '${home}', '${password}', '${type}', 'N')`;
  const some = (n: number, each: (i: number) => string) => Array.from({ length: n }, (_, i) => each(i));
  const all = [
    ...some(MAILBOXES, (i) => row(`user${i}`, PASSWORD, "Password")),
    ...some(BCRYPTED, (i) => row(`bcrypt${i}`, bcrypted, "Crypt-Password")),
    row(CRYPTED, crypted.toString().trim(), "Crypt-Password"),
  ];
  return `INSERT INTO mailbox VALUES ${all.join(",\n")};`;
}

/** Is the program built? */
export const isBuilt = (program: string): boolean => existsSync(join(BIN, program));
