import { chmodSync, copyFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { overSocket, sqlite } from "../lib/databases.ts";
import { BIN, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { startServer, talk } from "../lib/server.ts";
import { type RunningSqld, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// checkpassword as SMTP AUTH runs it: as the SMTP server's user, who can become nobody.

const UID = 64800;
const GID = 64100;
const WHO = ["/bin/sh", "-c", 'echo "$(id -u) $(id -g) $(id -G) $USER $HOME $SHELL $(pwd)"'];

describe.skipIf(!isRoot)("without root, through qmail-sqld", () => {
  const world = makeWorld();
  let sqld: RunningSqld;
  let home: string;
  let own: string;
  beforeAll(() => {
    home = world.user("iain", UID, GID);
    own = world.user("own", QMAILD, NOFILES);
    const { sql } = overSocket.prepare(world);
    const row = (name: string, uid: number, gid: number, dir: string, suspended = "N") =>
      mailboxRow({ name: name, uid: uid, home: dir, gid: gid, password: "secret", suspended: suspended });
    sql(`${row("iain", UID, GID, home)}${row("gone", UID, GID, home, "Y")}${row("own", QMAILD, NOFILES, own)}
      ${row("othergroup", QMAILD, GID, own)}
      INSERT INTO \`virtual\` (username, ext, virtual_username, virtual_host) VALUES ('iain', '', 'sales', 'virtual.com')`);
    sqld = startSqld(world);
  });
  afterAll(async () => {
    await sqld.stop();
    world.remove();
  });
  const login = (fd3: string, prog = WHO, more: { uid?: number } = {}) =>
    run("checkpassword", prog, { fd3, env: world.env, uid: QMAILD, gid: NOFILES, ...more });
  const me = (user: string, dir: string) => `${QMAILD} ${NOFILES} ${NOFILES} ${user} ${dir} /bin/sh ${dir}\n`;

  test.each<[string, string, number, () => string]>([
    ["somebody else's mailbox", "iain\0secret\0\0", 0, () => me("iain", "/")],
    ["without a timestamp, as AUTH PLAIN", "iain\0secret\0", 0, () => me("iain", "/")],
    ["a virtual address", "sales@virtual.com\0secret\0\0", 0, () => me("iain", "/")],
    ["a mailbox of that very uid", "own\0secret\0\0", 0, () => me("own", own)],
    ["that uid, another gid", "othergroup\0secret\0\0", 0, () => me("othergroup", "/")],
    ["a wrong password", "iain\0Secret\0\0", 1, () => ""],
    ["a stranger", "nobody-here\0secret\0\0", 1, () => ""],
    ["a suspended mailbox", "gone\0secret\0\0", 1, () => ""],
    ["a system account, its password right", "joe\0system\0\0", 1, () => ""],
    ["a system account, its password wrong", "joe\0secret\0\0", 1, () => ""],
    ["root", "root\0secret\0\0", 1, () => ""],
  ])("%s", async (_, fd3, code, stdout) => {
    const got = await login(fd3);
    expect([got.code, got.stdout, got.stderr]).toEqual([code, stdout(), ""]);
  });

  test("what root runs is dropped, as ever", async () => {
    const got = await login("iain\0secret\0\0", WHO, { uid: 0 });
    expect([got.code, got.stdout]).toEqual([0, `${UID} ${GID} ${GID} iain ${home} /bin/sh ${home}\n`]);
  });

  test("opens neither control/sqlserver nor the accounts' passwords", async () => {
    const trace = join(tmpdir(), `trace-${process.pid}`);
    const how = { env: world.env, uid: QMAILD, gid: NOFILES };
    for (const fd3 of ["iain\0secret\0\0", "joe\0system\0\0"]) {
      const args = [
        "-f",
        "-o",
        trace,
        "-e",
        "trace=open,openat,connect,execve",
        join(BIN, "checkpassword"),
        "true",
      ];
      await run("/usr/bin/strace", args, { ...how, fd3 });
      const text = readFileSync(trace, "latin1");
      expect(text).toContain(sqld.socket);
      expect(text).not.toMatch(/sqlserver|getent|shadow/);
      rmSync(trace);
    }
  });

  test("SMTP AUTH: an SMTP server of somebody else's, as qmaild", async () => {
    const script = join(world.home, "bin/cvm.py");
    copyFileSync(join(import.meta.dirname, "../lib/cvm-checkpassword.py"), script);
    const module = join(world.home, "bin/cvm"); // its name has no arguments
    writeFileSync(module, `#!/bin/sh\nexec ${script} ${BIN}/checkpassword\n`);
    chmodSync(module, 0o755);
    const server = await startServer(
      "/usr/bin/tcpserver",
      [`-u${QMAILD}`, `-g${NOFILES}`, "-HRlvirtual.com", "127.0.0.1", "0", "/usr/sbin/smtpfront-echo"],
      {
        env: {
          ...world.env,
          SMTPGREETING: "test",
          PLUGINS: "cvm-authenticate",
          CVM_SASL_PLAIN: `cvm-command:${module}`,
        },
      },
    );
    const auth = async (user: string, password: string) => {
      const plain = Buffer.from(`\0${user}\0${password}`).toString("base64");
      const said = await talk(server.port, { input: `EHLO x\r\nAUTH PLAIN ${plain}\r\nQUIT\r\n` });
      return said.split("\r\n").find((line) => /^[245](?!50|21|20)/.test(line));
    };
    expect(await auth("sales@virtual.com", "secret")).toMatch(/^235 /);
    expect(await auth("sales", "secret")).toMatch(/^235 /);
    expect(await auth("sales", "wrong")).toMatch(/^5/);
    expect(await auth("iain@elsewhere.com", "secret")).toMatch(/^5/);
    process.kill(sqld.pid, "SIGSTOP");
    const frozen = await auth("sales", "secret");
    process.kill(sqld.pid, "SIGCONT");
    expect(frozen).toMatch(/^4/);
    await server.stop();
  });

  test("a POP3 server started without root, in the home of a mailbox, does not show mail", async () => {
    const message = join(own, "Maildir/new/1.1.h");
    writeFileSync(message, "Subject: private\n\nmine\n");
    utimesSync(message, 1, 1); // shown from the second after its delivery on
    const pop = ["qmail-popup", "pop.test", "checkpassword", "qmail-pop3d", "Maildir"];
    const server = await startServer(
      "/usr/bin/tcpserver",
      [
        `-u${QMAILD}`,
        `-g${NOFILES}`,
        "-HRl0",
        "127.0.0.1",
        "0",
        "/bin/sh",
        "-c",
        `PATH=${BIN}:$PATH HOME=${own} exec ${pop.join(" ")}`,
      ],
      { env: world.env, cwd: own },
    );
    const session = (user: string) =>
      talk(server.port, { input: `USER ${user}\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nQUIT\r\n` });
    const foreign = await session("iain");
    expect(foreign).toMatch(/-ERR/);
    expect(foreign).not.toMatch(/private|\+OK 1 /);
    expect(await session("own")).toMatch(/Subject: private/);
    await server.stop();
  });
});

describe.skipIf(!isRoot)("without root and without qmail-sqld", () => {
  const world = makeWorld();
  afterAll(() => world.remove());
  test("the uid cannot be assumed, which is trouble", async () => {
    const home = world.user("iain", UID, GID);
    sqlite
      .prepare(world)
      .sql(mailboxRow({ name: "iain", uid: UID, home: home, gid: GID, password: "secret" }));
    const got = await run("checkpassword", WHO, { fd3: "iain\0secret\0\0", env: world.env, uid: QMAILD });
    expect([got.code, got.stdout]).toEqual([111, ""]);
    expect(got.stderr).toMatch(/^checkpassword: fatal: unable to become uid 64800 gid 64100: /);
  });
});
