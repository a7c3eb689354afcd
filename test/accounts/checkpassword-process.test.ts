import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { sqlFile, startMariaDb } from "../lib/mariadb.ts";
import { BIN, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// What the program that checkpassword becomes finds itself in.

const UID = 64800;
const GID = 64100;
const CHECK = join(BIN, "checkpassword");
const PATH = "/usr/local/bin:/usr/bin:/bin";
const FD3 = "iain\0secret\0x\0";

describe.skipIf(!isRoot)("checkpassword's program", () => {
  const world = makeWorld();
  const home = world.user("iain", UID, GID);
  const bin = join(home, "../../bin");
  beforeAll(() => {
    sqlite.prepare(world).sql(`${mailboxRow({ name: "iain", uid: UID, gid: GID, home, password: "secret" })}
      ${["sha512crypt", "bcrypt", "yescrypt"]
        .map((method) => {
          const hash = execFileSync("mkpasswd", ["-m", method, "secret"]).toString().trim();
          return mailboxRow({
            name: method,
            uid: UID,
            gid: GID,
            home,
            password: hash,
            type: "Crypt-Password",
          });
        })
        .join("\n")}`);
    mkdirSync(bin);
    for (const [name, text, mode] of [
      ["script", "echo no interpreter\n", 0o755],
      ["forbidden", "#!/bin/sh\n", 0o644],
      ["lost", "#!/nonexistent\n", 0o755],
      ["mine", '#!/bin/sh\necho mine "$@"\n', 0o755],
    ] as const) {
      writeFileSync(join(bin, name), text);
      chmodSync(join(bin, name), mode);
    }
  });
  afterAll(() => world.remove());

  const env = { ...world.env, PATH };
  const sh = (script: string, more: { fd3?: string; env?: Record<string, string> } = {}) =>
    run("/bin/sh", ["-c", script, CHECK, bin], { fd3: FD3, env, ...more });

  test("is irrevocably the mailbox's uid and gid and of no other group", async () => {
    const { stdout } = await sh('exec "$0" grep -E "^(Uid|Gid|Groups):" /proc/self/status');
    const four = (id: number) => Array(4).fill(id).join("\t");
    expect(stdout).toBe(`Uid:\t${four(UID)}\nGid:\t${four(GID)}\nGroups:\t${GID} \n`);
  });

  test("has default signals and an empty mask, whatever the caller had", async () => {
    const { stdout } = await sh(
      'exec env --default-signal --block-signal=CHLD,TERM --ignore-signal=PIPE "$0" grep -E "^Sig(Blk|Ign):" /proc/self/status',
    );
    // 32 and 33 are the C library's own; under make(1) they arrive ignored, and no program can tell.
    expect(stdout).toMatch(/^SigBlk:\t0+\nSigIgn:\t0{7}[01][08]0{7}\n$/);
  });

  test("dies of SIGPIPE", async () => {
    const { stdout } = await sh('exec "$0" sh -c "kill -PIPE \\$\\$; echo alive"');
    expect(stdout).toBe("");
  });

  test("has the descriptors 0, 1 and 2, as they were, and no other", async () => {
    const { stdout } = await sh('exec "$0" sh -c "ls -l /proc/\\$\\$/fd" 4</dev/null 9</etc/hostname');
    const open = stdout
      .split("\n")
      .flatMap((line) => / (\d+) -> (.*)/.exec(line)?.slice(1, 3).join(" ") ?? []);
    expect(open).toEqual([
      "0 /dev/null",
      expect.stringMatching(/^1 (pipe|socket)/),
      expect.stringMatching(/^2 (pipe|socket)/),
    ]);
  });

  test("shares no descriptor that checkpassword made non-blocking", async () => {
    const { stdout } = await sh('(echo x | (exec "$0" cat /proc/self/fdinfo/0 /proc/self/fdinfo/1)) | cat');
    const flags = [...stdout.matchAll(/flags:\t(\d+)/g)].map(
      ([, octal]) => parseInt(octal ?? "", 8) & 0o4000,
    );
    expect(flags).toEqual([0, 0]);
  });

  test.each([
    ["mailbox", FD3],
    ["system account", "joe\0system\0x\0"],
  ])("has the pid that checkpassword had, and neither child nor other thread: %s", async (_what, fd3) => {
    const { stdout } = await sh(
      'exec "$0" grep -s "" /proc/$$/comm /proc/$$/task/$$/children /proc/$$/task/*/comm',
      { fd3 },
    );
    expect(stdout.replace(/\d+/g, "N")).toBe("/proc/N/comm:grep\n/proc/N/task/N/comm:grep\n");
  });

  test.each(["0077", "0027", "0000"])("has the umask %s that checkpassword had", async (umask) => {
    const { stdout } = await sh(`umask ${umask}; exec "$0" sh -c umask`);
    expect(stdout).toBe(`${umask}\n`);
  });

  test.each([
    ["ASCII", "A=1", "x y"],
    ["UTF-8", "B=p\xc3\xa4ss", "\xc3\xa9"],
    ["bytes", "C=\xff\xfe=\xe9", "\xff\xe9"],
    ["bytes in a name", "D\xff=1", "x"],
  ])("has the environment and the arguments byte for byte: %s", async (_what, entry, argument) => {
    const octal = (bytes: string) =>
      [...bytes].map((c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`).join("");
    const { stdout } = await run(
      "/bin/sh",
      [
        "-c",
        `exec env -i "$(printf '${octal(entry)}')" EMPTY= dotted.name=1 "TWO=
lines" USER=root SHELL=/bin/zsh "QMAIL_HOME=$QMAIL_HOME" "$0" /bin/sh -c \
  'printf "%s" "$1"; printf "\\0"; cat /proc/$$/environ' arg0 "$(printf '${octal(argument)}')"`,
        CHECK,
      ],
      { fd3: FD3, env },
    );
    const [arg, ...entries] = stdout.split("\0").slice(0, -1);
    expect(arg).toBe(argument);
    expect(entries.sort()).toEqual(
      [
        entry,
        "EMPTY=",
        "dotted.name=1",
        "TWO=\nlines",
        `QMAIL_HOME=${world.home}`,
        "USER=iain",
        `HOME=${home}`,
        "SHELL=/bin/sh",
      ].sort(),
    );
  });

  test.each([
    ["a missing program", "nonexistent", "unable to run nonexistent: file does not exist"],
    ["a missing program of a path", "/nonexistent/x", "unable to run /nonexistent/x: file does not exist"],
    ["an empty name", "", "unable to run : file does not exist"],
    ["a file without the x bit", "$1/forbidden", "/forbidden: access denied"],
    ["a directory", "/tmp", "unable to run /tmp: access denied"],
    ["a script without #!", "$1/script", "/script: exec format error"],
    ["a script whose interpreter is missing", "$1/lost", "/lost: file does not exist"],
    ["a name below PATH that may not be run", "forbidden", "unable to run forbidden: access denied"],
  ])("%s is exit 111", async (_what, name, line) => {
    const { code, stderr } = await sh(`PATH=$PATH:$1 exec "$0" "${name}"`);
    expect([code, stderr]).toEqual([111, expect.stringContaining(line)]);
    expect(stderr).toMatch(/^[^\n]*\n$/);
  });

  test.each([
    ["PATH is searched, missing directories passed over", "/nonexistent:$1:/usr/bin"],
    ["a directory that is closed to the mailbox is passed over", "/root:$1"],
  ])("%s", async (_what, path) => {
    const { code, stdout } = await sh(`PATH=${path} exec "$0" mine a "b c"`);
    expect([code, stdout]).toEqual([0, "mine a b c\n"]);
  });

  test("the program's exit code is the exit code", async () => {
    expect((await sh('exec "$0" sh -c "exit 37"')).code).toBe(37);
  });

  test.each([
    ["is closed", 'exec "$0" true 3>&-', 111],
    ["is closed, as are 0, 1 and 2", '"$0" true 3>&- 0<&- 1>&- 2>&-; echo $? >&2', 0],
    ["is open for writing only", 'exec "$0" true 3>/dev/null', 111],
    ["is a directory", 'exec "$0" true 3</etc', 111],
    ["is empty", 'exec "$0" true 3</dev/null', 2],
    ["is a pipe", 'printf "iain\\0secret\\0x\\0" | (exec "$0" true 3<&0 0</dev/null)', 0],
    [
      "is a pipe written slowly",
      '(printf "iain\\0sec"; sleep 0.3; printf "ret\\0x\\0") | (exec "$0" true 3<&0)',
      0,
    ],
    ["is the end of a closed pipe", ': | (exec "$0" true 3<&0)', 2],
  ])("descriptor 3 %s", async (what, script, expected) => {
    const { code, stderr } = await sh(script, { fd3: "" });
    expect(code).toBe(expected);
    if (what.includes("as are")) expect(stderr).toBe("111\n");
    else if (expected === 111)
      expect(stderr).toMatch(/^checkpassword: fatal: unable to read descriptor 3: .+\n$/);
  });

  test("descriptor 3 is a socket", async () => {
    // the runtime's "pipe" is a socket pair
    const child = spawn(CHECK, ["true"], { env, stdio: ["ignore", "ignore", "ignore", "pipe"] });
    (child.stdio[3] as import("node:stream").Writable).end("iain\0secret\0x\0");
    expect(await new Promise((resolve) => child.on("exit", resolve))).toBe(0);
  });

  describe.each([
    ["under softlimit -a 400000000", "ulimit -v 400000"],
    ["where the runtime may make no code", "export BUN_JSC_useJIT=0"],
  ])("%s", (_what, limit) => {
    test.each(["iain", "sha512crypt", "bcrypt", "yescrypt", "joe"])(
      "%s logs in, and only by its password",
      async (name) => {
        const password = name === "joe" ? "system" : "secret";
        const codes = [];
        for (const typed of [password, "wrong"]) {
          const { code, stderr } = await sh(`${limit}; exec "$0" true`, { fd3: `${name}\0${typed}\0x\0` });
          codes.push(code, stderr);
        }
        expect(codes).toEqual([0, "", 1, ""]);
      },
    );
  });

  test("no program to run: exit 2, nothing read", async () => {
    const { code, stderr } = await run("checkpassword", [], { fd3: FD3, env });
    expect([code, stderr]).toEqual([2, "checkpassword: usage: checkpassword prog\n"]);
  });

  test("without root it cannot become another user: exit 111", async () => {
    const { code, stderr } = await sh('exec setuidgid qmailp "$0" true');
    expect([code, stderr]).toEqual([
      111,
      `checkpassword: fatal: unable to become uid ${UID} gid ${GID}: permission denied\n`,
    ]);
  });

  test("without root it cannot read the password of a system account: exit 111", async () => {
    const { code, stderr } = await sh('exec setuidgid qmailp "$0" true', { fd3: "joe\0system\0x\0" });
    expect([code, stderr]).toEqual([
      111,
      "checkpassword: fatal: unable to read the shadow password of joe: permission denied\n",
    ]);
  });
});

describe.skipIf(!isRoot)("the server", () => {
  test("sees every connection closed in good order, before the program runs", async () => {
    const server = await startMariaDb();
    const world = makeWorld();
    try {
      const home = world.user("iain", UID, GID);
      server.sql(
        "CREATE DATABASE mail; CREATE USER q@localhost IDENTIFIED BY 'x'; GRANT ALL ON mail.* TO q@localhost",
      );
      server.sql(sqlFile("mysql/schema.sql"), "mail");
      server.sql(mailboxRow({ name: "iain", uid: UID, home: home, gid: GID, password: "secret" }), "mail");
      world.control("sqlserver", `server ${server.socket}\nlogin q\npassword x\ndb mail\n`);
      const codes = [];
      for (const fd3 of [FD3, "iain\0wrong\0x\0", "nobody\0x\0x\0"]) {
        codes.push((await run("checkpassword", ["/bin/true"], { fd3, env: world.env })).code);
      }
      expect(codes).toEqual([0, 1, 1]);
      expect(server.sql("SHOW GLOBAL STATUS LIKE 'Aborted_%'")).toMatch(/^Aborted_clients\t0$/m);
      expect(server.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")).toMatch(/\t[1-9]/);
    } finally {
      await server.stop();
      world.remove();
    }
  });
});
