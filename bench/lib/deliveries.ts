import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeQueue, putMessage } from "../../test/lib/lspawn.ts";
import { type MariaDb, sqlFile } from "../../test/lib/mariadb.ts";
import { BIN } from "../../test/lib/program.ts";
import { startSqld } from "../../test/lib/sqld.ts";
import { makeMaildir, makeWorld, type World } from "../../test/lib/world.ts";
import { TOOLS } from "./load.ts";
import type { Place } from "./places.ts";
import { slowFsync } from "./slow-fsync.ts";

/** A qmail-lspawn to measure. */
export interface Spawner {
  readonly what: string;
  /** A prefix of the command that starts it. */
  readonly wrap: readonly string[];
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Asked {
  /** Milliseconds that are added to each wait for the disk. */
  readonly ms: number;
  /** Concurrent deliveries. */
  readonly at: number;
  readonly users: number;
  /** Minimum seconds of the warm-up and of the measurement. */
  readonly seconds: number;
}

export interface Delivered {
  /** Deliveries per second, after the warm-up and during it. */
  readonly rate: number;
  readonly first: number;
  /** Waits for the disk per delivery, counted by slow-fsync.so. */
  readonly waits: number;
}

export const USERS = 200;
const FIRST_UID = 65000;
const MESSAGE = `From: a@example.org\nSubject: hello\n\n${"x".repeat(3000)}\n`;
const LIMIT = 120_000; // milliseconds of one run
/** Stock qmail-local waits once, for the message; ours must not wait less often. */
const LEAST_WAITS = 1;

/** u0 ... on a file system, and qmail-lspawns that deliver to them. */
export interface Site {
  /** For scratch files. */
  readonly dir: string;
  /** Stock, with its users in /etc/passwd, and with the C lookup as its qmail-getpw; empty without STOCK_QMAIL. */
  stock(): Spawner[];
  /** Ours through qmail-sqld, or with a connection of its own; `settings` are control/lspawn-settings. */
  ours(what: string, settings: string, through?: "qmail-sqld" | "MariaDB"): Spawner;
  /** Makes deliveries, and removes the messages. Throws if one failed, or waits for the disk were not counted. */
  deliver(spawner: Spawner, asked: Asked): Delivered;
  /** A command that makes deliveries, to be observed from outside, and its environment. */
  command(spawner: Spawner, asked: Asked): { words: string[]; env: Record<string, string>; calls(): number };
  /** Removes all mail. */
  empty(): void;
  remove(): void;
}

let count = 0;

export function makeSite(place: Place, database: MariaDb): Site {
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  chmodSync(dir, 0o755);
  const worlds: World[] = [];
  const homes = Array.from({ length: USERS }, (_, i) =>
    makeHome(join(place.dir, "home", `u${i}`), FIRST_UID + i),
  );
  const db = `deliveries${++count}`;
  database.sql(
    `CREATE DATABASE ${db}; CREATE USER ${db}@localhost IDENTIFIED BY 'secret'; GRANT SELECT ON ${db}.* TO ${db}@localhost`,
  );
  const rows = homes.map(
    (home, i) => `('u${i}', ${FIRST_UID + i}, ${FIRST_UID + i}, '${home}', '', 'Password', 'N')`,
  );
  database.sql(`${sqlFile("mysql/schema.sql")}; INSERT INTO mailbox VALUES ${rows}`, db);
  const sqlserver = `server ${database.socket}\nlogin ${db}\npassword secret\ndb ${db}\n`;

  function stock(): Spawner[] {
    const home = process.env.STOCK_QMAIL;
    if (!home) return [];
    const [passwd, without] = [join(dir, "passwd"), readFileSync("/etc/passwd", "utf8")];
    const lines = homes.map((user, i) => `u${i}:x:${FIRST_UID + i}:${FIRST_UID + i}::${user}:/bin/true\n`);
    writeFileSync(passwd, without + lines.join(""));
    const [own, looked] = [copyOfStock(home, join(dir, "own")), copyOfStock(home, join(dir, "looked"))];
    mkdirSync(join(looked, "control"), { recursive: true });
    writeFileSync(join(looked, "control/sqlserver"), sqlserver);
    cpSync(join(TOOLS, "getpw-mariadb"), join(looked, "bin/qmail-getpw"));
    // Its programs have the home that they were built for.
    const wrap = (copy: string, accounts: string) => [
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "sh",
      "-c",
      'mount --bind "$1" "$2" && mount --bind "$3" /etc/passwd && shift 3 && exec "$@"',
      "sh",
      copy,
      home,
      accounts,
    ];
    const program = join(home, "bin/qmail-lspawn");
    return [
      { what: "stock", wrap: wrap(own, passwd), program, env: {} },
      {
        what: "stock, the C lookup exec'd",
        wrap: wrap(looked, "/etc/passwd"),
        program,
        env: { QMAIL_HOME: home },
      },
    ];
  }

  function ours(what: string, settings: string, through: "qmail-sqld" | "MariaDB" = "qmail-sqld"): Spawner {
    const world = makeWorld();
    worlds.push(world);
    world.control("sqlserver", sqlserver);
    world.control("lspawn-settings", settings);
    makeQueue(world, MESSAGE);
    if (through === "qmail-sqld") startSqld(world);
    return { what, wrap: [], program: join(BIN, "qmail-lspawn"), env: world.env };
  }

  function command({ wrap, program, env }: Spawner, { ms, at, users, seconds }: Asked) {
    const slow = slowFsync(join(dir, "counts"), ms);
    // The warm-up starts the worker of each user.
    const numbers = ["-t", seconds, Math.max(at, users), at, at, users].map(String);
    const words = [...wrap, join(TOOLS, "spawn-driver"), ...numbers, program, "./Maildir/"];
    return { words, env: { PATH: process.env.PATH ?? "", ...env, ...slow.env }, calls: slow.calls };
  }

  function deliver(spawner: Spawner, asked: Asked): Delivered {
    const { words, env, calls } = command(spawner, asked);
    const [program = "", ...args] = words;
    const { stdout, stderr } = spawnSync(program, args, { env, encoding: "utf8", timeout: LIMIT });
    empty();
    const [rate = 0, first = 0, total = 0] = stdout.split(" ").map(Number);
    if (!(rate > 0)) throw new Error(`${spawner.what}: ${stderr.trim() || "no end in time"}`);
    const waits = calls() / total;
    if (waits < LEAST_WAITS) {
      throw new Error(
        `${spawner.what}: ${total} deliveries, and only ${calls()} waits for the disk were counted`,
      );
    }
    return { rate, first, waits };
  }

  function empty(): void {
    execFileSync("find", [join(place.dir, "home"), "-path", "*/new/*", "-type", "f", "-delete"]);
    execFileSync("sync", ["-f", place.dir]);
  }

  return {
    dir,
    empty,
    stock,
    ours,
    command,
    deliver,
    remove() {
      for (const world of worlds) world.remove();
      rmSync(dir, { recursive: true });
      rmSync(join(place.dir, "home"), { recursive: true });
    },
  };
}

function makeHome(home: string, uid: number): string {
  makeMaildir(join(home, "Maildir"), uid, uid);
  chmodSync(home, 0o700);
  chownSync(home, uid, uid);
  return home;
}

function copyOfStock(home: string, copy: string): string {
  execFileSync("cp", ["-a", home, copy]);
  mkdirSync(join(copy, "queue/mess/0"), { recursive: true });
  putMessage({ home: copy }, "0/1", MESSAGE);
  return copy;
}
