import { execFileSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { type MariaDb, sqlFile } from "../test/lib/mariadb.ts";
import { isRoot, makeWorld, type World } from "../test/lib/world.ts";

/** A qmail home whose control/sqlserver leads to a database of 1,000 mailboxes. */
export interface Site {
  readonly name: string;
  readonly twin: "mariadb" | "sqlite";
  readonly bar: number;
  readonly world: World;
}

const MAILBOXES = 1000;
export const PLAIN = "user500";
export const CRYPTED = "user501";
export const PASSWORD = "correct horse";

export function sites(server: MariaDb): Site[] {
  const login = "login qmail\npassword sql secret\ndb qmail\n";
  const [socket, tcp, sqlite] = [makeWorld(), makeWorld(), makeWorld()];
  const file = join(sqlite.home, "users/mail.db");
  // The homes are the first world's; the others only differ in where the rows are.
  const rows = mailboxes(socket);
  server.sql(`CREATE DATABASE qmail; CREATE USER qmail@'%' IDENTIFIED BY 'sql secret'; GRANT ALL ON qmail.* TO qmail@'%';
    CREATE USER qmail@localhost IDENTIFIED BY 'sql secret'; GRANT ALL ON qmail.* TO qmail@localhost;`);
  server.sql(`${sqlFile("mysql/schema.sql")};${rows}`, "qmail");
  execFileSync("sqlite3", ["-bail", file], { input: `${sqlFile("sqlite/schema.sql")};${rows}` });
  chmodSync(file, 0o644);
  socket.control("sqlserver", `server ${server.socket}\n${login}`);
  tcp.control("sqlserver", `server 127.0.0.1\nport ${server.port}\n${login}`);
  sqlite.control("sqlserver", `driver sqlite\ndb ${file}\n`);
  return [
    { name: "MariaDB, unix socket", twin: "mariadb", bar: 7, world: socket },
    { name: "MariaDB, TCP", twin: "mariadb", bar: 7, world: tcp },
    { name: "SQLite", twin: "sqlite", bar: 3, world: sqlite },
  ];
}

function mailboxes(world: World): string {
  const uid = isRoot ? 64800 : (process.getuid?.() ?? 0);
  const gid = isRoot ? 64100 : (process.getgid?.() ?? 0);
  const homes = new Map([PLAIN, CRYPTED].map((name) => [name, world.user(name, uid, gid)]));
  const hash = execFileSync("openssl", ["passwd", "-6", "-salt", "saltsaltsaltsalt", PASSWORD])
    .toString()
    .trim();
  const values = Array.from({ length: MAILBOXES }, (_, i) => {
    const name = `user${i}`;
    const password = i % 2 === 0 ? `'${PASSWORD}', 'Password'` : `'${hash}', 'Crypt-Password'`;
    return `('${name}', ${uid}, ${gid}, '${homes.get(name) ?? `/home/${name}`}', ${password}, 'N')`;
  });
  return `INSERT INTO mailbox VALUES ${values.join(",\n")};`;
}

/** Is the program built? */
export const isBuilt = (program: string): boolean => existsSync(join(import.meta.dirname, "../bin", program));
