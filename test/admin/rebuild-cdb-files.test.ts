import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cdbReader } from "@qmail-mysql/cdb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { overTcp, sqlite } from "../lib/databases.ts";
import { BIN, run } from "../lib/program.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

let world: World;
let sql: (text: string) => string;
const processes: { kill(signal: NodeJS.Signals): boolean }[] = [];
const path = (file: string) => join(world.home, file);
const read = (file: string) => readFileSync(path(file), "latin1");
const rebuild = (...args: string[]) => run("rebuild-cdb", args, { env: world.env });

function start(file: string, args: readonly string[], cwd = "/") {
  const child = spawn(file, [...args], { env: { ...process.env, ...world.env }, cwd, stdio: "ignore" });
  processes.push(child);
  return child;
}

function begin(backend = sqlite) {
  world = makeWorld();
  const prepared = backend.prepare(world);
  // A rebuild may be reading.
  sql = (text) => prepared.sql(backend === sqlite ? `.timeout 5000\n${text}` : text);
  world.control("rcpthosts", "localhost\n");
  sql(
    `INSERT INTO ${"`virtual`"} VALUES ('joe', '', '', 'virtual.com'); INSERT INTO rcpthosts VALUES ('virtual.com');`,
  );
}

afterEach(() => {
  for (const child of processes.splice(0)) child.kill("SIGKILL");
  world.remove();
});

describe("what somebody else wrote is kept", () => {
  beforeEach(() => begin());

  test("a file that is there already becomes the .local file", async () => {
    world.control("virtualdomains", "old.example:joe\n");
    world.control("morercpthosts", "old.example\n");
    writeFileSync(path("users/assign"), "=old:joe:1:2:/h:::\n.\n");
    expect((await rebuild("routing", "assign")).code).toBe(0);
    expect(read("control/virtualdomains.local")).toBe("old.example:joe\n");
    expect(read("control/morercpthosts.local")).toBe("old.example\n");
    expect(read("users/assign.local")).toBe("=old:joe:1:2:/h:::\n.\n");
    expect(read("control/virtualdomains")).toMatch(/^virtual\.com:virtual\.com\nold\.example:joe$/m);
    expect(read("users/assign")).toMatch(/^=old:joe:1:2:\/h:::\n\.\n#/);
    // and again: the same sources, the same tables
    const before = statSync(path("users/assign")).ino;
    expect((await rebuild("routing", "assign")).code).toBe(0);
    expect(statSync(path("users/assign")).ino).toBe(before);
  });

  test("nothing is adopted when there is trouble", async () => {
    world.control("virtualdomains", "old.example:joe\n");
    sql("DROP TABLE rcpthosts");
    expect((await rebuild()).code).toBe(111);
    expect([read("control/virtualdomains"), existsSync(path("control/virtualdomains.local"))]).toEqual([
      "old.example:joe\n",
      false,
    ]);
  });

  test.each<[string, (text: string) => string]>([
    ["a line behind ours", (text) => `${text}mine.example:joe\n`],
    ["a line amidst", (text) => text.replace("virtual.com:virtual.com", "virtual.com:joe")],
    ["without our last line", (text) => text.replace(/^# rebuild-cdb.*\n/m, "")],
  ])("an edited table is refused, until --overwrite, which keeps it: %s", async (_, edit) => {
    world.control("virtualdomains.local", "old.example:joe\n");
    await rebuild();
    const edited = edit(read("control/virtualdomains"));
    writeFileSync(path("control/virtualdomains"), edited);
    sql(`INSERT INTO ${"`virtual`"} VALUES ('joe', '', '', 'new.example')`);
    const refused = await rebuild();
    expect(refused.code).toBe(100);
    expect(refused.stderr).toMatch(
      /^rebuild-cdb: fatal: unable to replace .*: move what you need to .*\.local, then use --overwrite\n$/,
    );
    expect(read("control/virtualdomains")).toBe(edited);
    expect((await rebuild("--overwrite")).code).toBe(0);
    expect(read("control/virtualdomains.saved")).toBe(edited);
    expect(read("control/virtualdomains")).toContain("new.example:new.example\n");
  });

  test("a cdb without its text is not replaced", async () => {
    writeFileSync(path("users/cdb"), "somebody's");
    sql("INSERT INTO mailbox (username, uid, gid, home) VALUES ('a', 1, 1, '/')");
    expect((await rebuild("assign", "--trust-homes")).code).toBe(100);
    expect([read("users/cdb"), existsSync(path("users/assign"))]).toEqual(["somebody's", false]);
  });

  test("a site without rows and files gets no files", async () => {
    sql(`DELETE FROM ${"`virtual`"}; DELETE FROM rcpthosts`);
    expect((await rebuild("routing", "assign")).code).toBe(0);
    expect([readdirSync(path("users")), existsSync(path("control/virtualdomains"))]).toEqual([
      ["mail.db"],
      false,
    ]);
  });

  test("a wrong line kept by hand is named, and nothing changes", async () => {
    writeFileSync(path("users/assign.local"), "# mine\n=a:b\n");
    const { code, stderr } = await rebuild("assign");
    expect([code, stderr]).toEqual([
      111,
      `rebuild-cdb: fatal: unable to use ${path("users/assign.local")}: line 2: expected 6 fields, each ended by a colon\n`,
    ]);
    expect(readdirSync(path("users")).sort()).toEqual(["assign.local", "mail.db"]);
  });
});

describe("whatever happens, the old file or the new one is there, and nothing else", () => {
  beforeEach(() => begin());

  test("four writers and a reader, for two seconds: no unreadable cdb", async () => {
    sql(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 3000) INSERT INTO rcpthosts SELECT 'h' || i || '.example' FROM c",
    );
    await rebuild();
    const until = Date.now() + 2000;
    let [runs, reads] = [0, 0];
    const codes = new Set<number | null>();
    const writer = async (n: number) => {
      while (Date.now() < until) {
        sql(
          `INSERT OR REPLACE INTO rcpthosts VALUES ('w${n}-${runs % 50}.example'); DELETE FROM rcpthosts WHERE host = 'w${n}-${(runs + 9) % 50}.example'`,
        );
        codes.add((await rebuild()).code);
        runs++;
      }
    };
    const reader = async () => {
      while (Date.now() < until) {
        const file = readFileSync(path("control/morercpthosts.cdb"));
        const cdb = cdbReader((at, length) => file.subarray(at, at + length), file.length);
        expect(cdb.get("h1500.example")).toBeDefined();
        expect(cdb.get("no.example")).toBeUndefined();
        reads++;
        await sleep(2);
      }
    };
    await Promise.all([writer(1), writer(2), writer(3), writer(4), reader()]);
    expect([...codes]).toEqual([0]);
    expect(runs).toBeGreaterThan(8);
    expect(reads).toBeGreaterThan(50);
  }, 60_000);

  test("killed at any moment", async () => {
    sql(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 60000) INSERT INTO rcpthosts SELECT 'h' || i || '.example' FROM c",
    );
    await rebuild();
    for (let n = 0; n < 12; n++) {
      sql(`INSERT INTO rcpthosts VALUES ('n${n}.example')`);
      const child = start(join(BIN, "rebuild-cdb"), []);
      await sleep(10 + 12 * n);
      child.kill("SIGKILL");
      const file = readFileSync(path("control/morercpthosts.cdb"));
      const cdb = cdbReader((at, length) => file.subarray(at, at + length), file.length);
      expect(cdb.get("h59999.example")).toBeDefined();
    }
    // The lock went with its holders, and the next run takes what they left.
    const { code, ms } = await rebuild();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(10_000);
    expect(readdirSync(path("control")).filter((name) => name.endsWith(".rebuild"))).toEqual([]);
  }, 60_000);

  test.skipIf(!isRoot)("a full disk: exit 111, the old files stay, no litter", async () => {
    sql(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 40000) INSERT INTO rcpthosts SELECT 'h' || i || '.example' FROM c",
    );
    const script = `mount -t tmpfs -o size=1500k none '${path("control/small")}' && cp '${path("control")}'/* '${path("control/small")}' 2>/dev/null
      mount --bind '${path("control/small")}' '${path("control")}' || exit 1
      echo 'old.example:x' > '${path("control/virtualdomains.local")}'
      '${join(BIN, "rebuild-cdb")}'; echo "exit $?"; ls '${path("control")}'`;
    mkdirSync(path("control/small"));
    const done = spawnSync("unshare", ["--mount", "--propagation", "private", "sh", "-c", script], {
      env: { ...process.env, ...world.env },
    });
    expect(done.stderr.toString()).toMatch(/^rebuild-cdb: fatal: unable to write .*: out of disk space\n$/);
    expect(done.stdout.toString().split("\n")).toEqual([
      "exit 111",
      "rcpthosts",
      "rebuild-cdb.lock",
      "sqlserver",
      "virtualdomains.local",
      "",
    ]);
  });
});

describe.skipIf(!isRoot)("qmail-send is told", () => {
  let hups: string;
  beforeEach(() => {
    begin();
    hups = path("hups");
    for (const dir of ["queue", "elsewhere"]) mkdirSync(path(dir));
    const script = `#!/bin/sh\ntrap 'echo hup >>${hups}' HUP\ntouch ready$$\nwhile :; do sleep 0.05; done\n`;
    writeFileSync(path("bin/qmail-send"), script);
    chmodSync(path("bin/qmail-send"), 0o755);
  });
  const count = () => (existsSync(hups) ? readFileSync(hups, "latin1").split("\n").length - 1 : 0);
  const qmailSend = async (dir: string) => {
    const child = start(path("bin/qmail-send"), [], path(dir));
    for (let n = 0; !existsSync(path(`${dir}/ready${child.pid}`)); n++) {
      if (n > 200) throw new Error("it does not start");
      await sleep(10);
    }
    return child;
  };

  test("by its name and its queue; when virtualdomains or locals changed, and not otherwise", async () => {
    const own = await qmailSend("queue");
    await qmailSend("elsewhere"); // another installation's
    const first = await rebuild("--json");
    expect((JSON.parse(first.stdout) as { hup: number[] }).hup).toEqual([own.pid]);
    await expect.poll(count, { timeout: 2000 }).toBe(1);
    await rebuild();
    sql("INSERT INTO rcpthosts VALUES ('other.example')");
    await rebuild();
    expect((JSON.parse((await rebuild("--json")).stdout) as { hup: number[] }).hup).toEqual([]);
    sql(`INSERT INTO ${"`virtual`"} VALUES ('joe', '', '', 'other.example')`);
    await rebuild("--no-hup");
    await sleep(200);
    expect(count()).toBe(1);
    await rebuild(); // what the one before did not tell
    await expect.poll(count, { timeout: 2000 }).toBe(2);
    world.control("locals", "localhost\n");
    await rebuild();
    await expect.poll(count, { timeout: 2000 }).toBe(3);
  });

  test("through its supervisor", async () => {
    mkdirSync(path("service"));
    const run = `#!/bin/sh\ncd '${path("queue")}' && exec '${path("bin/qmail-send")}'\n`;
    writeFileSync(path("service/run"), run, { mode: 0o755 });
    start("supervise", [path("service")]);
    for (let n = 0; !readdirSync(path("queue")).some((name) => name.startsWith("ready")); n++) {
      if (n > 200) throw new Error("it does not start");
      await sleep(20);
    }
    expect((await rebuild("--service", path("service"))).code).toBe(0);
    await expect.poll(count, { timeout: 2000 }).toBe(1);
    execFileSync("svc", ["-dx", path("service")]);
  });

  test("a service that is not there is trouble, and is told the next time", async () => {
    const { code, stderr } = await rebuild("--service", path("service"));
    expect([code, stderr]).toEqual([
      111,
      `rebuild-cdb: fatal: unable to signal the service ${path("service")}: ${path("service")}/supervise/control: file does not exist\n`,
    ]);
    expect(existsSync(path("control/virtualdomains"))).toBe(true);
    expect((await rebuild("--service", path("service"))).code).toBe(111);
  });
});

describe.each([sqlite, overTcp])("--watch over $name", (backend) => {
  test("rebuilds within a second of a change, and ends on SIGTERM", async () => {
    begin(backend);
    const child = start(join(BIN, "rebuild-cdb"), ["--watch", "--no-hup"]);
    const has = (text: string) =>
      existsSync(path("control/virtualdomains")) && read("control/virtualdomains").includes(text);
    await expect.poll(() => has("virtual.com"), { timeout: 3000, interval: 10 }).toBe(true);
    const latencies: number[] = [];
    for (let n = 0; n < 4; n++) {
      await sleep(130 * n);
      sql(`INSERT INTO ${"`virtual`"} VALUES ('joe', '', '', 'n${n}.example')`);
      const started = performance.now();
      await expect.poll(() => has(`n${n}.example:`), { timeout: 5000, interval: 10 }).toBe(true);
      latencies.push(performance.now() - started);
    }
    // A loaded machine is given as much again.
    expect(Math.max(...latencies)).toBeLessThan(2000);
    world.control("virtualdomains.local", "hand.example:joe\n");
    await expect.poll(() => has("hand.example:joe"), { timeout: 3000, interval: 10 }).toBe(true);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });
});

test("--watch outlives its database", async () => {
  begin();
  const child = start(join(BIN, "rebuild-cdb"), ["--watch", "--no-hup"]);
  await expect.poll(() => existsSync(path("control/virtualdomains")), { timeout: 3000 }).toBe(true);
  sql("ALTER TABLE rcpthosts RENAME TO away; INSERT INTO `virtual` VALUES ('joe', '', '', 'new.example')");
  await sleep(1500);
  expect([child.exitCode, read("control/virtualdomains").includes("new.example")]).toEqual([null, false]);
  sql("ALTER TABLE away RENAME TO rcpthosts");
  await expect
    .poll(() => read("control/virtualdomains").includes("new.example"), { timeout: 8000 })
    .toBe(true);
});

describe("its output", () => {
  beforeEach(() => begin());

  test("--help, on descriptor 1", async () => {
    const { code, stdout, stderr } = await rebuild("--help");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^usage: rebuild-cdb /);
  });

  test.each([[["--no-such"]], [["nonsense"]], [["relay", "a", "b"]], [["--window", "x", "relay"]]])(
    "%j is wrong usage, 100",
    async (args) => {
      const { code, stderr } = await rebuild(...args);
      expect(code).toBe(100);
      expect(stderr).toMatch(/^rebuild-cdb: usage: /);
    },
  );

  test("progress, on a terminal and nowhere else", async () => {
    sql(
      "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 400000) INSERT INTO rcpthosts SELECT 'h' || i || '.example' FROM c",
    );
    const onTerminal = execFileSync("python3", ["-c", PTY, join(BIN, "rebuild-cdb")], {
      env: { ...process.env, ...world.env },
    }).toString();
    expect(onTerminal).toMatch(/\r\x1b\[Krebuild-cdb: control\/morercpthosts: \d+ rows/);
    expect(onTerminal.endsWith("\r\x1b[K")).toBe(true);
    rmSync(path("control/morercpthosts.cdb"));
    const { stdout, stderr } = await rebuild();
    expect([stdout, stderr]).toEqual(["", ""]);
  });
});

/** Runs a program on a new terminal and returns its output. */
const PTY = `
import os, pty, sys
def copy(fd):
    data = os.read(fd, 65536)
    return data
sys.exit(pty.spawn(sys.argv[1:], copy) >> 8)
`;
