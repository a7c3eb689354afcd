import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { clientArgs, type MariaDb, sqlFile } from "./mariadb.ts";
import { startSqld } from "./sqld.ts";
import type { World } from "./world.ts";

/** A kind of database. The same tests run with each. */
export interface Backend {
  readonly name: string;
  /** Creates a database with our schema, and control/sqlserver for it; returns a function that changes it. */
  prepare(world: World, extra?: string): { sql(text: string): string };
}

let count = 0;

/** A new, empty database on the shared server, its schema loaded and its account able to read and write it. */
function newDatabase({ socket }: Pick<MariaDb, "socket">): { db: string; sql(text: string): string } {
  const db = `q${process.pid}_${++count}`;
  const client = (text: string, database?: string) =>
    execFileSync("mariadb", clientArgs(socket, database), { input: text }).toString();
  client(`CREATE DATABASE ${db};
    CREATE USER IF NOT EXISTS qmail@'%' IDENTIFIED BY 'sql secret'; GRANT ALL ON *.* TO qmail@'%';
    CREATE USER IF NOT EXISTS qmail@localhost IDENTIFIED BY 'sql secret'; GRANT ALL ON *.* TO qmail@localhost;`);
  client(sqlFile("mysql/schema.sql"), db);
  return { db, sql: (text) => client(text, db) };
}

function mariadbBackend(
  name: string,
  server: (m: Pick<MariaDb, "socket" | "port" | "ca">) => string,
  mariadb: () => Pick<MariaDb, "socket" | "port" | "ca"> = () => inject("mariadb"),
): Backend {
  return {
    name,
    prepare(world, extra = "") {
      const { db, sql } = newDatabase(mariadb());
      world.control("sqlserver", `${server(mariadb())}login qmail\npassword sql secret\ndb ${db}\n${extra}`);
      return { sql };
    },
  };
}

export const sqlite: Backend = {
  name: "SQLite",
  prepare(world, extra = "") {
    const file = join(world.home, "users/mail.db");
    const sql = (text: string) =>
      execFileSync("sqlite3", ["-bail", "-cmd", ".timeout 5000", "-separator", "\t", file], {
        input: text,
      }).toString();
    sql(sqlFile("sqlite/schema.sql"));
    chmodSync(file, 0o644);
    world.control("sqlserver", `driver sqlite\ndb ${file}\n${extra}`);
    return { sql };
  },
};

export const overTcp = mariadbBackend("MariaDB over TCP", ({ port }) => `server 127.0.0.1\nport ${port}\n`);
export const overSocket = mariadbBackend("MariaDB over its socket", ({ socket }) => `server ${socket}\n`);
/** A separate server, which a test may kill. */
export const overOwn = (mariadb: MariaDb) =>
  mariadbBackend(
    "a MariaDB of its own",
    ({ socket }) => `server ${socket}\n`,
    () => mariadb,
  );
export const overTls = mariadbBackend(
  "MariaDB over TLS",
  ({ port, ca }) => `server localhost:${port}\ntls ${ca}\n`,
);

/** qmail-sqld with MariaDB, without a cache, since tests change rows. */
export const throughSqld: Backend = {
  name: "qmail-sqld",
  prepare(world, extra) {
    const backend = overSocket.prepare(world, extra);
    startSqld(world, "ttl 0\nnegative_ttl 0\nlogin_ttl 0\n");
    return backend;
  },
};

export const backends: readonly Backend[] = [sqlite, overTcp, overSocket, overTls];
/** For the programs that are executed per lookup or delivery. */
export const backendsAndSqld: readonly Backend[] = [...backends, throughSqld];
