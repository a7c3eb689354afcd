// Tables, homes and .qmail files made by dice, and where mail for their addresses lands.
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cdbOf } from "./cdb.ts";
import type { Backend } from "./databases.ts";
import { makeQueue } from "./lspawn.ts";
import { makeMaildir, makeWorld, type World } from "./world.ts";

export const ROUND = 50; // addresses on one set of tables

const UID = 64800;
const LOCALS = ["h.example"];
const VIRTUALS = ["v.com", "my-v.com", "sub.v.com"];
const USERS = [
  "ann",
  "ann-x",
  "bob",
  "bob-list",
  "carl",
  "dora",
  "emil",
  "forward",
  "ghost",
  "stray",
  "v.com",
];
const EXTS = ["", "x", "list", "list-a", "list-a-b", "default", "@", "Dot.Ted", "no"];

export interface Round {
  readonly world: World;
  readonly homes: string;
  readonly defaultDelivery: string;
  /** Addresses as they are written, and as qmail-lspawn gets them. */
  readonly addresses: readonly { readonly typed: string; readonly local: string; readonly host: string }[];
}

const quote = (text: string | number) => `'${String(text).replaceAll("'", "''")}'`;
const insert = (table: string, rows: readonly (readonly (string | number)[])[]) =>
  rows.length === 0
    ? ""
    : `INSERT INTO ${table} VALUES ${rows.map((row) => `(${row.map(quote).join(", ")})`).join(", ")};\n`;

/** Homes, tables, settings and addresses of one round. */
export function makeRound({ prepare }: Backend, dice: (below: number) => number): Round {
  const one = <T>(from: readonly T[]): T => from[dice(from.length)] as T;
  const chance = (percent: number) => dice(100) < percent;
  const world = makeWorld();
  world.control("me", "h.example\n");
  world.control("rcpthosts", [...LOCALS, ...VIRTUALS, ""].join("\n"));
  world.control("virtualdomains", VIRTUALS.map((host) => `${host}:${host}\n`).join(""));
  const homes = join(world.home, "../home");
  const funky = chance(30);
  const switches = [
    ["home_mismatch", one(["defer", "alias"])],
    ["suspended_mail", one(["deliver", "defer", "bounce"])],
    ["funky_queries", funky ? "yes" : "no"],
    ["magic_forwarding", one(["yes", "no"])],
  ];
  const { sql } = prepare(world, switches.map(([key, value]) => `${key} ${value}\n`).join(""));

  const mailboxes = USERS.filter((user) => chance(user === "forward" || user === "v.com" ? 20 : 75)).map(
    (user) => {
      const uid = UID + USERS.indexOf(user);
      const home = user === "ghost" ? join(homes, "ghost") : makeHome(world, user, uid, dice);
      const claimed = user === "stray" ? uid + 1 : uid;
      return [user, claimed, uid, home, "", "Password", chance(10) ? "Y" : "N"];
    },
  );
  const line = (user: string): readonly [string, string] =>
    one([
      user === "alias" ? (["carl", "v.com"] as const) : ([".", "/Maildir/"] as const),
      ["ann-list", "h.example"],
      ["x", "sub.v.com"],
      ["far", "remote.example"],
      ["local-only", ""],
      ["|", "cat >/dev/null"],
      ["/", `${join(homes, one(USERS), "box").slice(1)}`],
      user === "alias"
        ? (["bob", ""] as const)
        : ([".", one(["/Missing/", "/box", "/New/", "/dir"])] as const),
      ["", one(["", "x.org"])],
      ["./Maildir/", ""],
    ]);
  const aliases = Array.from({ length: 10 + dice(30) }, () => {
    const user = one([...USERS, "alias"]);
    const ext = user === "alias" ? one(["nobody", "x", "carl@h.example", "@"]) : one([...EXTS, "x@v.com"]);
    return [user, ext.toLowerCase(), ...line(user)];
  });
  const virtuals = Array.from({ length: 5 + dice(20) }, () => [
    chance(5) ? "" : one([...USERS, "joe-sub", "nobody"]),
    chance(15) ? "someone@remote.example" : one(EXTS),
    chance(30) ? (funky ? one(["%", "s%", "_", ""]) : "") : one(["sales", "x", "info", "a-b"]),
    funky && chance(20) ? one(["%.v.com", "%"]) : one(VIRTUALS),
  ]);
  sql(insert("mailbox", mailboxes) + insert("alias", aliases) + insert("`virtual`", virtuals));

  const addresses = Array.from({ length: ROUND }, () => {
    const host = one([...LOCALS, ...VIRTUALS]);
    const user = one([...USERS, "joe-sub", "nobody", "no-body", "sales", "info", "x", "a-b", "s-t"]);
    const ext = one(["", "", "", ...EXTS]);
    const mixed = (text: string) => (chance(10) ? text.toUpperCase() : text);
    const local = mixed(ext === "" ? user : `${user}-${ext}`);
    const isVirtual = VIRTUALS.includes(host);
    return { typed: `${local}@${host}`, local: isVirtual ? `${host}-${local}` : local, host };
  });
  return {
    world,
    homes,
    defaultDelivery: one(["./Maildir/", "./Mailbox", "./box\n|cat >/dev/null"]),
    addresses,
  };
}

/** A home with .qmail files, some of it as it should not be. */
function makeHome(world: World, user: string, uid: number, dice: (below: number) => number): string {
  const one = <T>(from: readonly T[]): T => from[dice(from.length)] as T;
  let home = world.user(user, uid);
  makeMaildir(join(home, "New"), uid, uid);
  mkdirSync(join(home, "dir"));
  if (dice(6) === 0) {
    const closed = join(home, "../closed");
    mkdirSync(closed, { recursive: true });
    chmodSync(closed, 0o700);
    makeMaildir(join(closed, user, "Maildir"), uid, uid);
    chownSync(join(closed, user), uid, uid);
    home = join(closed, user);
  }
  for (let n = dice(5); n > 0; n--) {
    const file = join(home, `.qmail${one(["", "-x", "-list-default", "-default", "-dot:ted", "-@"])}`);
    const text = one([
      "./Maildir/\n",
      "# none\n",
      "",
      "\n",
      "./box\n&far@remote.example\n",
      "|cat >/dev/null\n",
      "./Missing/\n",
      "ann-x@h.example\n",
    ]);
    writeFileSync(file, text);
    chmodSync(file, one([0o600, 0o600, 0o644, 0o666, 0o700]));
    if (dice(5) > 0) chownSync(file, uid, uid);
  }
  const flaw = dice(12);
  if (flaw === 0) chmodSync(home, 0o1700);
  if (flaw === 1) chmodSync(home, 0o777);
  if (flaw === 2) rmSync(join(home, "Maildir/new"), { recursive: true });
  if (flaw === 3) chownSync(join(home, "Maildir/tmp"), 0, 0);
  return home;
}

/** The recipients of forwards since the last time, sorted. */
export function queued(log: string): string[] {
  const lines = readFileSync(log, "utf8").split("\n").filter(Boolean).sort();
  writeFileSync(log, "");
  return lines;
}

/** Where new mail is: Maildirs, mboxes. It is removed. */
export function landed(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) return landed(path);
      if (entry.name.startsWith(".qmail")) return [];
      rmSync(path);
      return [dir.endsWith("/new") ? dir.slice(0, -4) : path];
    })
    .sort();
}

/** Makes a queue, and a qmail-queue that writes the recipients of forwards to a log. */
export function logForwards({ world }: Round): { readonly env: World["env"]; readonly log: string } {
  const log = join(world.home, "queue.log");
  writeFileSync(log, "");
  chmodSync(log, 0o666);
  copyFileSync(join(import.meta.dirname, "queue-log.sh"), join(world.home, "bin/queue-log.sh"));
  makeQueue(world);
  return { env: { ...world.env, QMAILQUEUE: join(world.home, "bin/queue-log.sh"), QUEUE_LOG: log }, log };
}

/** A users/cdb that has some of the addresses, not all of it as it should be. */
export function makeUsersCdb(world: World, homes: string, dice: (below: number) => number): void {
  const kind = dice(6);
  if (kind === 0) return;
  const home = join(homes, "carl");
  const uid = UID + USERS.indexOf("carl");
  const records: [string, string][] = [
    ["!carl-x\0", `carl\0${uid}\0${uid}\0${home}\0-\0x`],
    ["!ann-l", `carl\0${uid}\0${uid}\0${home}\0-\0list-`],
    ["!v.com-s", `carl\0${uid}\0${uid}\0${home}\0\0`],
    ["!root\0", "root\x000\x000\0/root\0\0"],
    ["!bob\0", `carl\x000\0${uid}\0${home}\0\0`],
    ["!dora-x\0", `dora\0${uid}\0${uid}\0${home}`],
    ...(kind === 1 ? [] : [["", "-lstrong"] as [string, string]]),
  ];
  writeFileSync(join(world.home, "users/cdb"), cdbOf(records));
}
