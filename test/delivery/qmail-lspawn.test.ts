import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { overSocket, sqlite, throughSqld } from "../lib/databases.ts";
import { makeQueue, putMessage, type RunningLspawn, startLspawn } from "../lib/lspawn.ts";
import { children, forkServers, processesWith, workers } from "../lib/processes.ts";
import { BIN, proc, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { startSqld } from "../lib/sqld.ts";
import { isRoot, makeMaildir, makeWorld } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;
const HOMES = process.env.TEST_HOMES;

describe.skipIf(!isRoot).each([sqlite, overSocket, throughSqld])("qmail-lspawn over $name", ({ prepare }) => {
  const world = makeWorld();
  const iain = world.user("iain", UID, GID);
  const other = world.user("other", UID + 1, GID);
  let lspawn: RunningLspawn;
  beforeAll(() => {
    const { sql } = prepare(world);
    sql(`${mailboxRow({ name: "iain", uid: UID, home: iain, gid: GID })}
      ${mailboxRow({ name: "other", uid: UID + 1, home: other, gid: GID })}
      INSERT INTO \`virtual\` VALUES ('iain', 'sales', 'sales', 'virtual.com');
      INSERT INTO alias VALUES ('iain', 'sales', '.', '/Sales/');`);
    makeQueue(world);
    lspawn = startLspawn(world);
  });
  afterAll(async () => {
    expect(await lspawn.end()).toBe(0);
    world.remove();
  });
  const mail = (dir: string) => readdirSync(dir).map((name) => readFileSync(join(dir, name), "latin1"));

  test("delivers as the mailbox's uid and gid, byte for byte", async () => {
    const text = "Subject: \xff\n\nno line end";
    putMessage(world, "0/2", text);
    expect(await lspawn.deliver("Iain@Host.Example", { messid: "0/2", sender: "" })).toBe("Kdid 1+0+0\n");
    const dir = join(iain, "Maildir/new");
    const [name = ""] = readdirSync(dir);
    const { uid, gid, mode } = statSync(join(dir, name));
    expect([uid, gid, mode & 0o777]).toEqual([UID, GID, 0o600]);
    expect(mail(dir)).toEqual([`Return-Path: <>\nDelivered-To: Iain@Host.Example\n${text}`]);
    rmSync(join(dir, name));
  });

  test("delivers many to the same and to different users, each once", async () => {
    const all = Array.from({ length: 60 }, (_, i) =>
      lspawn.deliver(`${i % 3 === 0 ? "other" : "iain"}@example.org`, { delnum: i }),
    );
    expect(new Set(await Promise.all(all))).toEqual(new Set(["Kdid 1+0+0\n"]));
    expect(readdirSync(join(iain, "Maildir/new"))).toHaveLength(40);
    expect(readdirSync(join(other, "Maildir/new"))).toHaveLength(20);
  });

  test("knows virtual addresses and alias rows", async () => {
    makeMaildir(join(iain, "Sales"), UID, GID);
    // "." and "/Sales/" are one .qmail line
    expect(await lspawn.deliver("virtual.com-sales@virtual.com")).toBe("Kdid 1+0+0\n");
    expect(readdirSync(join(iain, "Sales/new"))).toHaveLength(1);
  });

  test("asks the system's accounts for who is no mailbox, and alias for who is neither", async () => {
    expect(await lspawn.deliver("joe@example.org")).toBe("Kdid 1+0+0\n");
    expect(readdirSync(`${HOMES}/joe/Maildir/new`).length).toBeGreaterThan(0);
    expect(await lspawn.deliver("nobody-here@example.org")).toBe(
      "DSorry, no mailbox here by that name. (#5.1.1)\n",
    );
  });
});

describe.skipIf(!isRoot)("qmail-lspawn", () => {
  const world = makeWorld();
  const iain = world.user("iain", UID, GID);
  const running: RunningLspawn[] = [];
  // A worker bounces what no .qmail file is for by itself: this one makes it run qmail-local.
  const dotQmail = join(iain, ".qmail-default");
  const askForProgram = () => {
    writeFileSync(dotQmail, "|x\n");
    chownSync(dotQmail, UID, GID);
  };
  const start = (...args: [defaultDelivery?: string, width?: 1 | 2, wrap?: string[]]) => {
    const one = startLspawn(world, ...args);
    running.push(one);
    return one;
  };
  const local = join(world.home, "bin/qmail-local");
  const stub = (script: string) => {
    writeFileSync(`${local}.new`, `#!/bin/sh\n${script}\n`);
    chmodSync(`${local}.new`, 0o755);
    renameSync(`${local}.new`, local);
  };
  beforeAll(() => {
    sqlite
      .prepare(world)
      .sql(
        [
          mailboxRow({ name: "iain", uid: UID, home: iain, gid: GID }),
          mailboxRow({ name: "held", uid: UID, home: iain, gid: GID, suspended: "Y" }),
        ].join("\n"),
      );
    makeQueue(world);
  });
  afterEach(async () => {
    for (const one of running.splice(0)) await one.end();
  });
  afterAll(() => world.remove());

  describe("starts", () => {
    test("not without its argument", async () => {
      expect(await run("qmail-lspawn", [], { env: world.env })).toMatchObject({ code: 100, stdout: "" });
    });
    test("by announcing its limit, in one byte", async () => {
      const got = await run("qmail-lspawn", ["./Mailbox"], { env: world.env });
      expect([got.code, got.stdout]).toEqual([0, "x"]);
    });
    test("by announcing it in two, for the big-concurrency patch", async () => {
      world.control("lspawn-settings", "delnum_bytes 2\nspawn 300\n");
      const lspawn = start("./Maildir/", 2);
      expect(await lspawn.announced()).toBe("\x2c\x01");
      expect(await lspawn.deliver("iain@h", { delnum: 299 })).toBe("Kdid 1+0+0\n");
      expect(await lspawn.deliver("iain@h", { delnum: 300 })).toBe(
        "ZInternal error: delnum too big. (#4.3.5)\n",
      );
      rmSync(join(world.home, "control/lspawn-settings"));
    });
    test("not with wrong settings, nor without its queue", async () => {
      world.control("lspawn-settings", "spawn 256\n");
      expect(await run("qmail-lspawn", ["x"], { env: world.env })).toMatchObject({ code: 111, stdout: "" });
      rmSync(join(world.home, "control/lspawn-settings"));
      expect(await run("qmail-lspawn", ["x"], { env: { QMAIL_HOME: "/nonexistent" } })).toMatchObject({
        code: 111,
        stdout: "",
      });
    });
  });

  describe("refuses", () => {
    test.each([
      [
        "a number as high as the limit",
        "x0/1\0s\0iain@h\0",
        "120 ZInternal error: delnum too big. (#4.3.5)\n",
      ],
      ["the highest number", "\xff0/1\0s\0iain@h\0", "255 ZInternal error: delnum too big. (#4.3.5)\n"],
      [
        "letters in a message's name",
        "\x05a/1\0s\0iain@h\0",
        "5 DInternal error: messid has nonnumerics. (#5.3.5)\n",
      ],
      [
        "a message's name from the root",
        "\x05/1\0s\0iain@h\0",
        "5 DInternal error: messid has nonnumerics. (#5.3.5)\n",
      ],
      [
        "a long name",
        `\x05${"1".repeat(100)}\0s\0iain@h\0`,
        "5 DInternal error: messid too long. (#5.3.5)\n",
      ],
      ["an empty name", "\x05\0s\0iain@h\0", "5 DInternal error: messid too short. (#5.3.5)\n"],
      ["no host", "\x050/1\0s\0iain\0", "5 DSorry, address must include host name. (#5.1.3)\n"],
      ["no recipient", "\x050/1\0s\0\0", "5 DSorry, address must include host name. (#5.1.3)\n"],
      ["no such message", "\x050/9\0s\0iain@h\0", "5 Zqmail-spawn unable to open message. (#4.3.0)\n"],
      ["a directory", "\x050\0s\0iain@h\0", "5 ZSorry, message has wrong type. (#4.3.5)\n"],
      ["another's file", "\x050/3\0s\0iain@h\0", "5 ZSorry, message has wrong owner. (#4.3.5)\n"],
    ])("%s", async (_, command, report) => {
      writeFileSync(join(world.home, "queue/mess/0/3"), "x");
      const lspawn = start();
      await lspawn.announced();
      lspawn.write(command);
      expect(await lspawn.next()).toBe(report);
      expect(await lspawn.deliver("iain@h")).toBe("Kdid 1+0+0\n");
    });

    test("a number in use, and the one at work is unaffected", async () => {
      stub("sleep 0.5; echo one");
      const lspawn = start("|x");
      await lspawn.announced();
      lspawn.write("\x000/1\0s\0iain@h\0\x000/1\0s\0iain@h\0");
      expect(await lspawn.next()).toBe("0 ZInternal error: delnum in use. (#4.3.5)\n");
      expect(await lspawn.next()).toBe("0 Kone\n");
      expect(await lspawn.deliver("iain@h", { delnum: 1 })).toBe("Kone\n");
    });
  });

  test("takes commands a byte at a time, and glued together", async () => {
    const lspawn = start();
    await lspawn.announced();
    for (const byte of "\x770/1\0s\0iain@h\0") {
      lspawn.write(byte);
      await sleep(1);
    }
    expect(await lspawn.next()).toBe("119 Kdid 1+0+0\n");
    lspawn.write("\x000/1\0s\0@h\0\x010/1\0s\0@h\0\x020/1");
    expect([await lspawn.next(), await lspawn.next()].sort()).toEqual(["0 K", "1 K"]);
    lspawn.write("\0s\0@h\0");
    expect(await lspawn.next()).toBe("2 K");
  });

  describe("reports", () => {
    const said = "txt1\ntxt2\n";
    const soft = "ZTemporary failure in qmail-lspawn.\n";
    test.each<[number, string]>([
      [0, `K${said}`],
      ...[71, 74, 75, 111].map((code) => [code, `Z${said}`] as [number, string]),
      [112, "ZInternal qmail-lspawn bug.\n"],
      [113, "ZNot allowed to perform deliveries as root.\n"],
      [115, "ZNFS failure in qmail-local.\n"],
      [116, "ZUnable to find alias user!\n"],
      [117, "ZTrouble reading users/cdb in qmail-lspawn.\n"],
      [118, soft],
      [119, "ZOut of memory in qmail-lspawn.\n"],
      [120, "ZUnable to run qmail-local.\n"],
      [121, "ZUnable to run qmail-getpw.\n"],
      [126, "DUnable to run qmail-local.\n"],
      ...[1, 2, 64, 77, 99, 100, 101, 127, 255].map((code) => [code, `D${said}`] as [number, string]),
    ])("qmail-local's exit %d", async (code, report) => {
      stub(`printf 'txt1\\ntxt2\\n\\0after\\n'; exit ${code}`);
      expect(await start("|x").deliver("iain@h")).toBe(report);
    });

    test("a crash", async () => {
      stub("kill -9 $$");
      expect(await start("|x").deliver("iain@h")).toBe("Zqmail-local crashed.\n");
    });

    test("3000 bytes whole, one more cut short", async () => {
      stub(`head -c 3000 /dev/zero | tr '\\0' x`);
      expect(await start("|x").deliver("iain@h")).toBe(`K${"x".repeat(3000)}`);
      stub(`head -c 3001 /dev/zero | tr '\\0' x`);
      expect(await start("|x").deliver("iain@h")).toBe(
        `K${"x".repeat(2966)}\nError report too long, sorry.\n`,
      );
    });

    test("only when nobody holds the output any more", async () => {
      stub("(sleep 1; echo late) & echo early");
      const before = performance.now();
      expect(await start("|x").deliver("iain@h")).toBe("Kearly\nlate\n");
      expect(performance.now() - before).toBeGreaterThan(900);
    });

    test.each([
      ["that is missing", () => rmSync(local), "DUnable to run qmail-local.\n"],
      ["that may not be run", () => chmodSync(local, 0o644), "DUnable to run qmail-local.\n"],
    ])("a qmail-local %s", async (_, break_, report) => {
      stub("exit 0");
      break_();
      expect(await start("|x").deliver("iain@h")).toBe(report);
    });
  });

  test("runs qmail-local with its operands, identity and descriptors, and nothing else", async () => {
    stub(
      `for a; do printf '[%s]' "$a"; done; echo; echo "$(id -u) $(id -g) $(id -G) $(umask)"; pwd -P; ls -x /proc/$$/fd; cat`,
    );
    askForProgram();
    const text = "Subject: x\n\ny\n";
    putMessage(world, "0/1", text);
    const lspawn = start("|x");
    const operands = `[--][iain][${iain}][Iain-A\xff@B][-][A\xff@B][C.d][Send@er][|x]`;
    expect(await lspawn.deliver("Iain-A\xff@B@C.d", { sender: "Send@er" })).toBe(
      `K${operands}\n${UID} ${GID} ${GID} 0077\n${world.home}\n0  1  10  2\n${text}`,
    );
  });

  describe("users/cdb", () => {
    const cdb = join(world.home, "users/cdb");
    const make = (records: readonly (readonly [string, string])[]) => {
      const input = records.map(([k, d]) => `+${k.length},${d.length}:${k}->${d}\n`).join("");
      execFileSync("cdb", ["-c", cdb], { input: Buffer.from(`${input}\n`, "latin1") });
    };
    const to = (user: string, dash = "", ext = "", uid: number | string = UID) =>
      [user, uid, GID, iain, dash, ext].join("\0");
    beforeAll(() => {
      askForProgram();
      stub(`shift; printf '%s|' "$1" "$4" "$5"`);
    });
    afterAll(() => rmSync(cdb, { force: true }));
    const who = (lspawn: RunningLspawn, localPart: string) => lspawn.deliver(`${localPart}@h`);

    test("the exact record, the longest wildcard, the empty one, then SQL", async () => {
      make([
        ["!joe\0", to("exact")],
        ["!joe-", to("wild", "-", "pre-")],
        ["!joe-list-", to("longer", "-")],
        ["!joe-listx", to("never", "-")],
        ["", "-"],
      ]);
      const lspawn = start("|x");
      expect(await who(lspawn, "JOE")).toBe("Kexact|||");
      expect(await who(lspawn, "Joe-Ext.Foo")).toBe("Kwild|-|pre-Ext.Foo|");
      expect(await who(lspawn, "joe-List-A")).toBe("Klonger|-|A|");
      expect(await who(lspawn, "joe-listxy")).toBe("Kwild|-|pre-listxy|");
      expect(await who(lspawn, "iain-X")).toBe("Kiain|-|X|");
      // a new file counts at once
      make([
        ["!", to("all", "-")],
        ["", ""],
      ]);
      expect(await who(lspawn, "iain-X")).toBe("Kall|-|iain-X|");
    });

    test.each([
      ["uid 0", "0", "ZNot allowed to perform deliveries as root.\n"],
      ["no number", "abc", "ZNot allowed to perform deliveries as root.\n"],
      ["a negative one", "-1", "ZNot allowed to perform deliveries as root.\n"],
      ["a number and more", `${UID}x`, "Ka|||"],
      ["the number that means none", "4294967295", "ZInternal qmail-lspawn bug.\n"],
    ])("a record with %s", async (_, uid, report) => {
      make([
        ["!a\0", to("a", "", "", uid)],
        ["", ""],
      ]);
      expect(await who(start("|x"), "a")).toBe(report);
    });

    test.each([
      ["without its record of wildcards", () => make([["!a\0", to("a")]])],
      ["that is empty", () => writeFileSync(cdb, "")],
      ["of zeros", () => writeFileSync(cdb, Buffer.alloc(2048))],
      ["cut short", () => writeFileSync(cdb, readFileSync(cdb).subarray(0, 2060))],
    ])("a file %s defers every delivery", async (_, break_) => {
      break_();
      expect(await who(start("|x"), "iain")).toBe("ZTrouble reading users/cdb in qmail-lspawn.\n");
    });
  });

  describe("processes", () => {
    beforeAll(() => {
      stub("exit 0");
      for (const file of [join(world.home, "users/cdb"), dotQmail]) rmSync(file, { force: true });
    });

    test("workers are their users and cannot be anybody else again; the first process opens nothing of theirs", async () => {
      const trace = join(world.home, "../trace");
      mkdirSync(trace);
      const lspawn = start("./Maildir/", 1, [
        "strace",
        "-ff",
        "-o",
        join(trace, "t"),
        "-e",
        "trace=openat,open,setuid,link,linkat",
      ]);
      expect(await lspawn.deliver("iain@h")).toBe("Kdid 1+0+0\n");
      const [strace = 0] = children(lspawn.pid).length > 0 ? [lspawn.pid] : [];
      const all = children(strace).flatMap((pid) => [pid, ...children(pid), ...workers(pid)]);
      const identities = all.map((pid) => proc(pid, "status"));
      const worker = identities.filter((status) => status.includes(`Uid:\t${UID}\t${UID}\t${UID}\t${UID}\n`));
      expect(worker).toHaveLength(1);
      expect(worker[0]).toContain(`Gid:\t${GID}\t${GID}\t${GID}\t${GID}\n`);
      expect(worker[0]).toContain(`Groups:\t${GID} \n`);
      expect(worker[0]).toMatch(/^CapEff:\t0+$/m);
      await lspawn.end();
      const opened = readdirSync(trace).map((name) => readFileSync(join(trace, name), "latin1"));
      const touching = opened.filter(
        (text) => text.includes('"tmp/') || text.includes("Maildir") || text.includes(iain),
      );
      expect(touching.length).toBeGreaterThan(0);
      const isWorker = (text: string) => new RegExp(`^setuid\\(${UID}\\) += 0$`, "m").test(text);
      // The fork server delivers to a directory of its own.
      const isServer = (text: string) => text.includes(`"${tmpdir()}/qmail-lspawn-`) && !text.includes(iain);
      for (const text of touching) expect(isWorker(text) || isServer(text)).toBe(true);
    });

    test("a worker killed in the middle is a deferral, and nothing is delivered twice", async () => {
      const lspawn = startLspawn(world, "./mbox");
      running.push(lspawn);
      const mbox = join(iain, "mbox");
      writeFileSync(mbox, "");
      chownSync(mbox, UID, GID);
      const lock = spawn("flock", ["-x", mbox, "-c", "echo locked; exec sleep 60"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      await new Promise((resolve) => lock.stdout.once("data", resolve));
      const report = lspawn.deliver("iain@h");
      let worker: number | undefined;
      await expect
        .poll(() => {
          worker = workers(lspawn.pid).find((pid) => proc(pid, "status").includes(`Uid:\t${UID}\t`));
          return worker;
        })
        .toBeDefined();
      await sleep(100);
      process.kill(worker ?? 0, "SIGKILL");
      expect(await report).toBe("Zqmail-local crashed.\n");
      lock.kill("SIGKILL");
      execFileSync("sh", ["-c", `fuser -k ${mbox} 2>/dev/null; true`]);
      expect(statSync(mbox).size).toBe(0);
      expect(await lspawn.deliver("iain@h")).toBe("Kdid 1+0+0\n");
      expect(readFileSync(mbox, "latin1").match(/^From /gm)).toHaveLength(1);
    });

    test("workers outlive the process that forked them, and another one forks more", async () => {
      const lspawn = start();
      expect(await lspawn.deliver("iain@h")).toBe("Kdid 1+0+0\n");
      const [server = 0] = forkServers(lspawn.pid);
      for (let i = 0; i < 3; i++) {
        const all = Array.from({ length: 20 }, (_, k) =>
          lspawn.deliver(`${k % 2 ? "iain" : "joe"}@h`, { delnum: k }),
        );
        if (i === 1) process.kill(server, "SIGKILL");
        expect(new Set(await Promise.all(all))).toEqual(new Set(["Kdid 1+0+0\n"]));
      }
      expect(forkServers(lspawn.pid)).not.toContain(server);
    });

    test("no descriptor is left behind by deliveries of any kind, nor a process", async () => {
      const lspawn = start();
      const round = async (n: number) => {
        for (let i = 0; i < n; i += 20) {
          const all = Array.from({ length: 20 }, (_, k) =>
            lspawn.deliver(["iain@h", "@h", "nobody-here@h", "iain", "iain-no@h"][k % 5] ?? "", {
              delnum: k,
            }),
          );
          await Promise.all(all);
        }
      };
      await round(100);
      // Each worker has three of them (tasks, output twice), and how many there are depends on how fast the disk is.
      const fds = () => readdirSync(`/proc/${lspawn.pid}/fd`).length - 3 * workers(lspawn.pid).length;
      const before = fds();
      await round(600);
      await expect.poll(fds).toBeLessThanOrEqual(before + 2);
      expect(workers(lspawn.pid).length).toBeLessThanOrEqual(42);
      writeFileSync(join(iain, ".qmail-prog"), "|true\n");
      chownSync(join(iain, ".qmail-prog"), UID, GID);
      for (let i = 0; i < 30; i++) expect(await lspawn.deliver("iain-prog@h")).toBe("K");
      await expect.poll(fds).toBeLessThanOrEqual(before + 2);
      rmSync(join(iain, ".qmail-prog"));
    });

    test("a user's maildir and programs take mail in the same second: names stay unique", async () => {
      writeFileSync(join(iain, ".qmail-both"), "./Maildir/\n|true\n");
      chownSync(join(iain, ".qmail-both"), UID, GID);
      rmSync(local);
      symlinkSync(join(BIN, "qmail-local"), local);
      const dir = join(iain, "Maildir/new");
      const before = readdirSync(dir).length;
      const lspawn = start();
      const reports = new Map<string, number>();
      for (let i = 0; i < 15; i++) {
        const all = Array.from({ length: 20 }, (_, k) =>
          lspawn.deliver(k % 4 === 0 ? "iain-both@h" : "iain@h", { delnum: k }),
        );
        for (const one of await Promise.all(all)) reports.set(one, (reports.get(one) ?? 0) + 1);
      }
      expect(Object.fromEntries(reports)).toEqual({ "Kdid 1+0+0\n": 225, "Kdid 1+0+1\n": 75 });
      expect(readdirSync(dir)).toHaveLength(before + 300);
      rmSync(join(iain, ".qmail-both"));
    });

    test("what is too long for any process to be told is refused for good", async () => {
      const lspawn = start();
      expect(await lspawn.deliver("iain@h", { sender: "x".repeat(200_000) })).toBe(
        "DUnable to run qmail-local.\n",
      );
      expect(await lspawn.deliver("iain@h")).toBe("Kdid 1+0+0\n");
    });

    test("finishes what runs when qmail-send goes, and leaves no process", async () => {
      stub("sleep 0.3; echo done");
      const lspawn = startLspawn(world, "|x");
      await lspawn.announced();
      const report = lspawn.deliver("iain@h");
      await sleep(100);
      const ended = lspawn.end();
      expect(await report).toBe("Kdone\n");
      expect(await ended).toBe(0);
      await expect.poll(() => processesWith(`QMAIL_HOME=${world.home}`)).toEqual([]);
    });

    test("idle workers end, and make room when there are enough", async () => {
      world.control("lspawn-settings", "workers 1\nspares 0\n");
      const lspawn = start();
      for (const user of ["iain", "joe", "iain"])
        expect(await lspawn.deliver(`${user}@h`)).toBe("Kdid 1+0+0\n");
      await expect.poll(() => workers(lspawn.pid).length).toBe(1);
      const many = Array.from({ length: 20 }, (_, i) =>
        lspawn.deliver(`${i % 2 ? "iain" : "joe"}@h`, { delnum: i }),
      );
      expect(new Set(await Promise.all(many))).toEqual(new Set(["Kdid 1+0+0\n"]));
      rmSync(join(world.home, "control/lspawn-settings"));
    });
  });

  describe("the database", () => {
    test("is away: a deferral, and deliveries as soon as it is back", async () => {
      const away = makeWorld();
      const home = away.user("iain", UID, GID);
      overSocket
        .prepare(away, "timeout 1\n")
        .sql(mailboxRow({ name: "iain", uid: UID, home: home, gid: GID }));
      makeQueue(away);
      let sqld = startSqld(away, "");
      const lspawn = startLspawn(away);
      expect(await lspawn.deliver("iain@h")).toBe("Kdid 1+0+0\n");
      await sqld.stop("SIGKILL");
      // The first line is qmail's own, the second goes to the log with it.
      expect(await lspawn.deliver("iain@h")).toMatch(
        /^ZTemporary failure in qmail-lspawn\.\nunable to ask qmail-sqld at \/[^ ]+: .+\n$/,
      );
      sqld = startSqld(away, "");
      expect(await lspawn.deliver("iain@h")).toBe("Kdid 1+0+0\n");
      expect(readdirSync(join(home, "Maildir/new"))).toHaveLength(2);
      expect(await lspawn.end()).toBe(0);
      await sqld.stop();
      away.remove();
    });

    test("is asked through qmail-sqld, whose settings are read again: no delivery on its way notices", async () => {
      const busy = makeWorld();
      const home = busy.user("iain", UID, GID);
      const { sql } = throughSqld.prepare(busy);
      sql(mailboxRow({ name: "iain", uid: UID, home: home, gid: GID }));
      makeQueue(busy);
      const lspawn = startLspawn(busy);
      const reports = new Set<string>();
      // A file that changed is a reason to read them at once; else they are every 10 seconds.
      const touch = (i: number) => utimesSync(join(busy.home, "control/sqld"), i, i);
      const one = async (delnum: number) => {
        for (let i = 1; i <= 10; i++) {
          if (delnum % 10 === 0) touch(delnum * 100 + i);
          reports.add(await lspawn.deliver("iain@h", { delnum }));
        }
      };
      await Promise.all(Array.from({ length: 100 }, (_, delnum) => one(delnum)));
      expect(reports).toEqual(new Set(["Kdid 1+0+0\n"]));
      // its connection, and the one that asks for the figures
      const stats = async () => (await run("qmail-sqld", ["stats"], { env: busy.env })).stdout;
      await expect.poll(stats).toMatch(/^clients +2$/m);
      expect(await lspawn.end()).toBe(0);
      busy.remove();
    });

    test("a name service that hangs holds up those alone who are no mailbox", async () => {
      const slow = makeWorld();
      const home = slow.user("iain", UID, GID);
      overSocket
        .prepare(slow, "timeout 1\n")
        .sql(mailboxRow({ name: "iain", uid: UID, home: home, gid: GID }));
      makeQueue(slow);
      const getent = join(slow.home, "getent");
      // qmailq is looked up at the start.
      writeFileSync(getent, `#!/bin/sh\ncase "$*" in *qmailq*) exec ${getent}.real "$@";; esac\nsleep 4\n`);
      chmodSync(getent, 0o755);
      copyFileSync("/usr/bin/getent", `${getent}.real`);
      const script = `mount --bind ${getent} /usr/bin/getent && exec "$@"`;
      const lspawn = startLspawn(slow, "./Maildir/", 1, ["unshare", "-m", "sh", "-c", script, "sh"]);
      expect(await lspawn.deliver("iain@h", { delnum: 0 })).toBe("Kdid 1+0+0\n");
      const start = performance.now();
      const nobody = lspawn.deliver("nobody-here@h", { delnum: 1 });
      for (let i = 0; i < 5; i++) expect(await lspawn.deliver("iain@h", { delnum: 2 })).toBe("Kdid 1+0+0\n");
      expect(performance.now() - start).toBeLessThan(900);
      expect(await nobody).toMatch(/^ZTemporary failure in qmail-lspawn\.\nunable to look up .+: .+\n$/);
      expect(performance.now() - start).toBeLessThan(3000);
      expect(await lspawn.end()).toBe(0);
      slow.remove();
    });

    test("says that mail for a mailbox is held, or given back", async () => {
      const config = join(world.home, "control/sqlserver");
      const before = readFileSync(config, "latin1");
      const lspawn = start();
      expect(await lspawn.deliver("held@h")).toBe("Kdid 1+0+0\n");
      for (const [how, report] of [
        ["defer", 'Zmailbox "held" is suspended. (#4.2.1)\n'],
        ["bounce", 'Dmailbox "held" is suspended. (#5.2.1)\n'],
      ]) {
        writeFileSync(config, `${before}suspended_mail ${how}\n`);
        expect(await lspawn.deliver("held@h")).toBe(report);
      }
      writeFileSync(config, before);
    });

    test("names the home that is not its user's, in the deferral and in the bounce", async () => {
      const odd = makeWorld();
      const { sql } = sqlite.prepare(odd, "home_mismatch defer\n");
      sql(
        [
          mailboxRow({ name: "away", uid: UID, home: "/nonexistent/away", gid: GID }),
          mailboxRow({ name: "big", uid: 3000000000, home: odd.user("big", 3_000_000_000, GID), gid: GID }),
        ].join("\n"),
      );
      makeQueue(odd);
      const lspawn = startLspawn(odd);
      const why = 'mailbox row "away" is not used: home /nonexistent/away: ';
      expect(await lspawn.deliver("away@h")).toMatch(new RegExp(`^Z${why}[a-z ]+\\. \\(#4\\.2\\.1\\)\n$`));
      const config = join(odd.home, "control/sqlserver");
      writeFileSync(config, readFileSync(config, "latin1").replace("defer", "alias"));
      const none = "DSorry, no mailbox here by that name. (#5.1.1)\n";
      expect(await lspawn.deliver("away@h")).toMatch(
        new RegExp(`^${none.replace(/[.()]/g, "\\$&")}${why}[a-z ]+\n$`),
      );
      // Uids above 2^31 are as good as others.
      expect(await lspawn.deliver("big@h")).toBe("Kdid 1+0+0\n");
      expect(await lspawn.end()).toBe(0);
      odd.remove();
    });

    test("refuses the password: the report names neither login nor password", async () => {
      const odd = makeWorld();
      overSocket.prepare(odd, "timeout 1\n");
      const config = join(odd.home, "control/sqlserver");
      writeFileSync(config, readFileSync(config, "latin1").replace(/^password .*$/m, "password wrong-word"));
      makeQueue(odd);
      const lspawn = startLspawn(odd);
      const report = await lspawn.deliver("iain@h");
      expect(report).toMatch(/^ZTemporary failure in qmail-lspawn\.\nunable to [ -~]+\n$/);
      expect(report).not.toMatch(/wrong-word|'@'/);
      expect(await lspawn.end()).toBe(0);
      odd.remove();
    });
  });
});
