import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BIN, run } from "../lib/program.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const UID = 64800;
const LONG_AGO = 1_500_000_000;
let world: World;
let home: string;
beforeEach(() => {
  world = makeWorld();
  home = world.user("joe", UID);
});
afterEach(() => world.remove());

const path = (file: string | Buffer) =>
  Buffer.concat([Buffer.from(`${home}/Maildir/`), Buffer.from(file as string)]);

function put(file: string | Buffer, text = "x\n", mtime = LONG_AGO, atime = mtime): void {
  writeFileSync(path(file), text, "latin1");
  if (isRoot) chownSync(path(file), UID, UID);
  utimesSync(path(file), atime, mtime);
}

async function session(input: string, args: readonly string[] = ["Maildir"]): Promise<string> {
  const as = isRoot ? { uid: UID } : {};
  const got = await run("qmail-pop3d", args, { cwd: home, env: world.env, input, ...as });
  expect([got.code, got.stderr]).toEqual([0, ""]);
  return got.stdout;
}

describe("the list of messages", () => {
  test("is oldest first, new/ and cur/ together, within a second by name", async () => {
    put("new/b", "x", LONG_AGO + 1);
    put("cur/a:2,S", "x", LONG_AGO + 1);
    put("new/c", "x", LONG_AGO + 1);
    put("cur/z:2,S", "x", LONG_AGO);
    expect(await session("UIDL\r\n")).toBe("+OK \r\n+OK \r\n1 z\r\n2 a\r\n3 b\r\n4 c\r\n.\r\n");
  });

  test("leaves out what is modified now or later, hidden names, directories and dangling links", async () => {
    put("new/1");
    put("new/future", "x", Date.now() / 1000 + 100);
    put("new/.dot");
    mkdirSync(path("cur/directory"));
    utimesSync(path("cur/directory"), LONG_AGO, LONG_AGO);
    expect(await session("UIDL\r\n")).toBe("+OK \r\n+OK \r\n1 1\r\n.\r\n");
  });

  test("has ids of printable bytes whatever the file's name", async () => {
    put("new/plain-1!~", "x", LONG_AGO);
    put(Buffer.from([..."new/\xe9"].map((c) => c.charCodeAt(0))), "x", LONG_AGO + 1);
    put("cur/:2,", "x", LONG_AGO + 2);
    put("new/a\nb", "x", LONG_AGO + 3);
    put(`new/${"n".repeat(200)}`, "x", LONG_AGO + 4);
    const [, , first, ...rest] = (await session("UIDL\r\n")).split("\r\n");
    expect(first).toBe("1 plain-1!~");
    expect(rest.slice(0, 3).every((line) => /^[0-9] [0-9a-f]{64}$/.test(line))).toBe(true);
    expect(new Set(rest.slice(0, 3).map((line) => line.slice(2))).size).toBe(3);
    expect(rest[3]).toBe(`5 ${"n".repeat(200)}`);
  });
});

test("a name that is not UTF-8 is read, moved and deleted like any other", async () => {
  const name = Buffer.from([..."new/\xe9\xff"].map((c) => c.charCodeAt(0)));
  put(name, "hello\n");
  expect(await session("RETR 1\r\nQUIT\r\n")).toBe("+OK \r\n+OK \r\nhello\r\n\r\n.\r\n+OK \r\n");
  expect(readdirSync(`${home}/Maildir/cur`, "buffer")[0]?.toString("latin1")).toBe("\xe9\xff:2,");
  expect(await session("DELE 1\r\nQUIT\r\n")).toBe("+OK \r\n+OK \r\n+OK \r\n");
  expect(readdirSync(`${home}/Maildir/cur`)).toEqual([]);
});

test("tmp/ is cleaned of what was not accessed for more than 36 hours", async () => {
  const now = Math.floor(Date.now() / 1000);
  put("tmp/stale", "x", now, now - 129_600 - 60);
  put("tmp/old", "x", LONG_AGO, now - 129_600 + 60);
  put("tmp/.stale", "x", LONG_AGO, LONG_AGO);
  await session("QUIT\r\n");
  expect(readdirSync(`${home}/Maildir/tmp`).sort()).toEqual([".stale", "old"]);
});

test("a message that vanished meanwhile cannot be opened; deleting it says so, and QUIT is ok", async () => {
  put("new/1");
  put("new/2", "two\n");
  const server = spawn(join(BIN, "qmail-pop3d"), ["Maildir"], {
    cwd: home,
    env: world.env,
    ...(isRoot && { uid: UID, gid: UID }),
  });
  let out = "";
  server.stdout.on("data", (chunk: Buffer) => {
    if (out === "") {
      rmSync(path("new/1"));
      server.stdin.end("RETR 1\r\nRETR 2\r\nDELE 1\r\nQUIT\r\n");
    }
    out += chunk.toString("latin1");
  });
  expect(await new Promise((resolve) => server.on("close", resolve))).toBe(0);
  expect(out).toBe(
    "+OK \r\n-ERR unable to open that message\r\n+OK \r\ntwo\r\n\r\n.\r\n+OK \r\n" +
      "-ERR unable to unlink all deleted messages\r\n+OK \r\n",
  );
});

test.skipIf(!isRoot)("each message that cannot be deleted is an -ERR, then QUIT is ok", async () => {
  for (const name of ["cur/1", "cur/2", "new/3"]) put(name);
  chmodSync(path("cur"), 0o500);
  expect(await session("DELE 1\r\nDELE 2\r\nQUIT\r\n")).toBe(
    `+OK \r\n+OK \r\n+OK \r\n${"-ERR unable to unlink all deleted messages\r\n".repeat(2)}+OK \r\n`,
  );
  // what cannot be moved stays new
  expect(existsSync(path("new/3"))).toBe(true);
});

describe("no Maildir", () => {
  const NONE = "-ERR this user has no $HOME/Maildir\r\n";
  test.each([[[]], [["Nodir"]], [[""]]])("argument %j", async (args) => {
    expect(await session("", args)).toBe(NONE);
  });

  test.skipIf(!isRoot)("not searchable", async () => {
    chmodSync(path(""), 0o600);
    expect(await session("")).toBe(NONE);
  });

  test.each(["new", "cur"])("without %s it cannot be scanned", async (dir) => {
    renameSync(path(dir), path("gone"));
    expect(await session("")).toBe("-ERR unable to scan $HOME/Maildir\r\n");
  });

  test("without tmp all the same", async () => {
    rmSync(path("tmp"), { recursive: true });
    expect(await session("QUIT\r\n")).toBe("+OK \r\n+OK \r\n");
  });
});
