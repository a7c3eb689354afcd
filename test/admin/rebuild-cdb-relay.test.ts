import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { backends, overTcp, sqlite } from "../lib/databases.ts";
import { BIN, run } from "../lib/program.ts";
import { makeWorld, type World } from "../lib/world.ts";

const RULES = '# by hand\n127.:allow,RELAYCLIENT=""\n10.9.9.9:deny\n:allow';

let world: World;
let sql: (text: string) => string;
const path = (file: string) => join(world.home, "control", file);
const rebuild = (...args: string[]) => run("rebuild-cdb", ["relay", ...args], { env: world.env });

function begin(backend = sqlite, more = "") {
  world = makeWorld();
  const prepared = backend.prepare(world);
  sql = (text) => prepared.sql(backend === sqlite ? `.timeout 5000\n${text}` : text);
  // The keys of control/sqlserver are good in control/sql.
  world.control("sql", `${readFileSync(path("sqlserver"), "latin1")}time 100\n${more}`);
  world.control("tcp.smtp", RULES);
}
afterEach(() => world.remove());

/** The file /usr/bin/tcprules makes of the rules kept by hand and these lines. */
function reference(lines: readonly string[]): Buffer {
  const [cdb, temporary] = [join(world.home, "reference"), join(world.home, "reference.tmp")];
  execFileSync("tcprules", [cdb, temporary], {
    input: `${RULES}\n${lines.map((line) => `${line}\n`).join("")}`,
  });
  return readFileSync(cdb);
}
const allow = (address: string) => `${address}:allow,RELAYCLIENT=""`;
const rule = (ip: string) =>
  execFileSync("tcprulescheck", [path("tcp.smtp.cdb")], { env: { TCPREMOTEIP: ip } })
    .toString()
    .split("\n", 1)[0];

describe.each(backends)("rebuild-cdb relay over $name", (backend) => {
  beforeEach(() => begin(backend));

  test("tcp.smtp.cdb is what tcprules makes of the rules kept by hand and a line for each open row", async () => {
    const now = Math.floor(Date.now() / 1000);
    sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('10.1.2.3', ${now}), ('10.1.2.4', ${now - 50}),
      ('10.1.2.5', ${now - 101}), ('10.9.9.9', ${now}), ('172.16.0.0/12', 0), ('192.168.', ${now}),
      ('2001:db8::1', ${now}), ('evil:allow', ${now});`);
    const { code, stdout, stderr } = await rebuild("--json");
    expect([code, stderr]).toEqual([
      0,
      `rebuild-cdb: warning: 2 relay rows have no form in ${path("tcp.smtp.cdb")}\n`,
    ]);
    expect(JSON.parse(stdout)).toEqual({ file: path("tcp.smtp.cdb"), rows: 5, busy: false, changed: true });
    const lines = ["10.1.2.3", "10.1.2.4", "10.9.9.9", "172.16-31.", "192.168."].map(allow);
    expect(readFileSync(path("tcp.smtp.cdb")).equals(reference(lines))).toBe(true);
    expect(["10.1.2.4", "10.1.2.5", "172.20.1.1", "10.9.9.9"].map(rule)).toEqual([
      "rule 10.1.2.4:",
      "rule :",
      "rule 172.20.:",
      "rule 10.9.9.9:",
    ]);
    expect(statSync(path("tcp.smtp.cdb")).mode & 0o777).toBe(0o644);
    const { ino } = statSync(path("tcp.smtp.cdb"));
    expect((await rebuild()).code).toBe(0);
    expect(statSync(path("tcp.smtp.cdb")).ino).toBe(ino);
    // its time over, or its row gone
    sql("DELETE FROM relay WHERE ip_addr = '10.1.2.3'");
    expect((await rebuild("--window", "40", "--rblsmtpd")).code).toBe(0);
    const left = ["10.9.9.9", "172.16-31.", "192.168."].map((address) => `${allow(address)},RBLSMTPD=""`);
    expect(readFileSync(path("tcp.smtp.cdb")).equals(reference(left))).toBe(true);
  });
});

describe.each([sqlite, overTcp])("rebuild-cdb relay over $name", (backend) => {
  beforeEach(() => begin(backend));

  test("trouble is 111, a wrong rule 100; the old file stays", async () => {
    await rebuild();
    const before = [readFileSync(path("tcp.smtp.cdb"), "latin1"), statSync(path("tcp.smtp.cdb")).ino];
    world.control("tcp.smtp", "1.2.3.4:allow\nnonsense:x\n");
    const wrong = await rebuild();
    expect([wrong.code, wrong.stderr]).toEqual([
      100,
      `rebuild-cdb: fatal: unable to parse this line of ${path("tcp.smtp")}: nonsense:x\n`,
    ]);
    world.control("tcp.smtp", "1.2.3.4:allow\n");
    sql("DROP TABLE relay");
    expect((await rebuild()).code).toBe(111);
    expect((await rebuild(path("no.such"))).code).toBe(111);
    expect([readFileSync(path("tcp.smtp.cdb"), "latin1"), statSync(path("tcp.smtp.cdb")).ino]).toEqual(
      before,
    );
    expect(readdirSync(path("")).filter((name) => name.endsWith(".rebuild"))).toEqual([]);
  });

  test("--watch opens and closes it", async () => {
    const child = spawn(join(BIN, "rebuild-cdb"), ["relay", "--watch"], {
      env: { ...process.env, ...world.env },
      stdio: "ignore",
    });
    try {
      await expect.poll(() => existsSync(path("tcp.smtp.cdb")), { timeout: 3000, interval: 20 }).toBe(true);
      const now = Math.floor(Date.now() / 1000);
      sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('10.1.2.3', ${now - 97})`);
      await expect.poll(() => rule("10.1.2.3"), { timeout: 3000, interval: 20 }).toBe("rule 10.1.2.3:");
      await expect.poll(() => rule("10.1.2.3"), { timeout: 8000, interval: 50 }).toBe("rule :");
    } finally {
      child.kill("SIGKILL");
    }
  });
});

test("Dovecot's table, as control/sql names it", async () => {
  begin(sqlite, "table popbsmtp\n");
  sql(`CREATE TABLE popbsmtp (ip TEXT NOT NULL PRIMARY KEY, login_time DATETIME NOT NULL);
    INSERT INTO popbsmtp VALUES ('10.1.2.3', datetime('now')), ('10.1.2.4', datetime('now', '-1 hour'));`);
  expect((await rebuild()).code).toBe(0);
  expect(readFileSync(path("tcp.smtp.cdb")).equals(reference([allow("10.1.2.3")]))).toBe(true);
});

test("four hosts, several logins a second: each login is in the file soon, no reader fails, one rebuild a second", async () => {
  begin();
  await rebuild();
  const until = Date.now() + 4000;
  let [reads, asked] = [0, 0];
  const inodes = new Set<number>();
  const codes = new Set<number | null>();
  const late: number[] = [];
  const host = async (n: number) => {
    for (let i = 0; Date.now() < until; i++) {
      const ip = `10.${n}.0.${i}`;
      sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('${ip}', strftime('%s', 'now'))`);
      const started = Date.now();
      asked++;
      void rebuild().then(({ code }) => codes.add(code));
      void expect
        .poll(() => rule(ip), { timeout: 6000, interval: 100 })
        .toBe(`rule ${ip}:`)
        .then(() => late.push(Date.now() - started));
      await sleep(200);
    }
  };
  const reader = async () => {
    while (Date.now() < until) {
      rule("127.0.0.1"); // throws when it cannot be read
      inodes.add(statSync(path("tcp.smtp.cdb")).ino);
      reads++;
      await sleep(5);
    }
  };
  await Promise.all([host(1), host(2), host(3), host(4), reader()]);
  await expect.poll(() => late.length, { timeout: 10_000 }).toBe(asked);
  expect([...codes]).toEqual([0]);
  expect(asked).toBeGreaterThan(20);
  expect(reads).toBeGreaterThan(50);
  expect(inodes.size).toBeLessThanOrEqual(6);
  // a second of waiting, and a loaded machine
  expect(Math.max(...late)).toBeLessThan(4000);
}, 60_000);

describe("its locks", () => {
  const NOBODY = 65534;
  const LOCKS = ["tcp.smtp.cdb.lock", "tcp.smtp.cdb.next", "rebuild-cdb.lock"];
  const flock = (file: string, how: { uid?: number } = {}) =>
    run("/usr/bin/flock", ["-n", path(file), "true"], how);

  test("others cannot lock them, even if an earlier version made them readable by all", async () => {
    begin();
    for (const earlier of [false, true]) {
      if (earlier) for (const file of LOCKS) chmodSync(path(file), 0o644);
      expect((await rebuild()).code).toBe(0);
      expect((await run("rebuild-cdb", ["--no-hup"], { env: world.env })).code).toBe(0);
      for (const file of LOCKS) {
        expect((await flock(file)).code, file).toBe(0);
        expect((await flock(file, { uid: NOBODY })).stderr, file).toContain("Permission denied");
        expect(statSync(path(file)).mode & 0o777, file).toBe(0o600);
      }
    }
  });

  test("a lock that is held for longer than a rebuild takes is trouble, and reported", async () => {
    begin();
    const next = path("tcp.smtp.cdb.next");
    writeFileSync(next, "", { mode: 0o644 });
    const holder = spawn("flock", ["-n", next, "sh", "-c", "echo held; exec sleep 60"]);
    try {
      await new Promise((resolve) => holder.stdout.once("data", resolve));
      // a rebuild may be waiting there
      expect(await rebuild("--json")).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('"busy":true'),
      });
      utimesSync(next, 0, 0);
      const { code, stderr } = await run("rebuild-cdb", ["relay"], { env: world.env, limit: 40_000 });
      expect([code, stderr]).toEqual([
        111,
        `rebuild-cdb: fatal: unable to lock ${next}: another process has held it for more than 22 seconds\n`,
      ]);
    } finally {
      holder.kill();
    }
  }, 60_000);
});
