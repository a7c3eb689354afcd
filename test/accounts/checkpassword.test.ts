import { execFileSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backendsAndSqld } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;
const HOMES = process.env.TEST_HOMES;

/** The ids and variables of the program that checkpassword runs. */
const WHO = ["/bin/sh", "-c", 'echo "$(id -u) $(id -g) $(id -G) $USER $HOME $SHELL $(pwd)"'];

const made = (program: string, ...args: string[]) => execFileSync(program, args).toString().trim();

describe.skipIf(!isRoot).each(backendsAndSqld)("checkpassword over $name", ({ prepare }) => {
  const world = makeWorld();
  const home = world.user("iain", UID, GID);
  beforeAll(() => {
    const box = (name: string, password: string, type = "Password", suspended = "N") =>
      mailboxRow({ name, uid: UID, gid: GID, home, password, type, suspended });
    const { sql } = prepare(world);
    sql(`${[
      box("iain", "secret"),
      box("des", made("mkpasswd", "-m", "des", "secret"), "Crypt-Password"),
      box("six", made("openssl", "passwd", "-6", "secret"), "Crypt-Password"),
      box("bcrypt", made("mkpasswd", "-m", "bcrypt", "-R", "4", "secret"), "Crypt-Password"),
      box("yescrypt", made("mkpasswd", "-m", "yescrypt", "secret"), "Crypt-Password"),
      box("dovecot", made("doveadm", "pw", "-s", "SSHA512", "-p", "secret"), "Crypt-Password"),
      box("argon2", made("doveadm", "pw", "-s", "ARGON2ID", "-p", "secret"), "Crypt-Password"),
      // https://dev.mysql.com/doc/refman/5.7/en/password-hashing.html: PASSWORD('mypass') in both forms
      box("mysql", "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4", "MySQL-Password"),
      box("mysql40", "6f8c114b58f2ce9e", "MySQL-Password"),
      box("empty", ""),
      box("locked", "!", "Crypt-Password"),
      box("broken", "hunter2", "Crypt-Password"),
      box("suspended", "secret", "Password", "Y"),
      box("Upper", "secret"),
      box("box@virtual.com", "own"),
      box("p\u00e4r", "p\u00e4ss"),
      box("long".repeat(30), "secret"),
      box("root", "secret"),
      mailboxRow({ name: "zero", uid: 0, home: "/root", password: "secret" }),
      mailboxRow({ name: "homeless", uid: UID, gid: GID, home: "/nonexistent", password: "secret" }),
      mailboxRow({ name: "closed", uid: UID, gid: GID, home: "/root", password: "secret" }),
    ].join("\n")}
      INSERT INTO mailbox (username, uid, gid, home, password, password_type)
        VALUES ('cpan', ${UID}, ${GID}, '${home}', 'secret', 'Password');
      INSERT INTO \`virtual\` (username, ext, virtual_username, virtual_host) VALUES
        ('iain', '', 'sales', 'virtual.com'), ('nobody', '', 'gone', 'virtual.com'),
        ('iain', '', 'box', 'virtual.com'), ('six', '', '', 'catch.com'), ('suspended', '', 's', 'catch.com');`);
  });
  afterAll(() => world.remove());

  const login = (fd3: string, prog = WHO) => run("checkpassword", prog, { fd3, env: world.env });
  const mailbox = (user: string) => `${UID} ${GID} ${GID} ${user} ${home} /bin/sh ${home}\n`;

  test.each([
    ["iain", "secret", "iain"],
    ["IAIN", "secret", "iain"],
    ["upper", "secret", "Upper"],
    ["des", "secret", "des"],
    ["six", "secret", "six"],
    ["bcrypt", "secret", "bcrypt"],
    ["yescrypt", "secret", "yescrypt"],
    ["dovecot", "secret", "dovecot"],
    ["argon2", "secret", "argon2"],
    ["mysql", "mypass", "mysql"],
    ["mysql40", "mypass", "mysql40"],
    ["cpan", "secret", "cpan"],
    ["long".repeat(30), "secret", "long".repeat(30)],
    ["p\xc3\xa4r", "p\xc3\xa4ss", "p\xc3\xa4r"],
    ["box@virtual.com", "own", "box@virtual.com"],
    ["sales@virtual.com", "secret", "iain"],
    ["Sales@VIRTUAL.com", "secret", "iain"],
    ["any@catch.com", "secret", "six"],
    ["root", "secret", "root"], // the row is used, although the system has an account of that name
  ])("%s with %s is the mailbox %s", async (name, password, user) => {
    const { code, stdout, stderr } = await login(`${name}\0${password}\0<1.2@host>\0`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: mailbox(user), stderr: "" });
  });

  test("no row: the system account", async () => {
    const { code, stdout } = await login("joe\0system\0x\0");
    expect([code, stdout]).toEqual([0, `64020 64020 64020 joe ${HOMES}/joe /bin/sh ${HOMES}/joe\n`]);
  });

  const challenge = "<1896.697170952@dbc.mtview.ca.us>";
  const apop = (secret: string) =>
    createHash("md5")
      .update(challenge + secret)
      .digest("hex");
  const cram = (secret: string) => createHmac("md5", secret).update(challenge).digest("hex");

  test.each([
    ["APOP", `iain\0${apop("secret")}\0${challenge}\0`, 0],
    ["CRAM-MD5", `iain\0${cram("secret")}\0${challenge}\0`, 0],
    ["APOP with another secret", `iain\0${apop("other")}\0${challenge}\0`, 1],
    ["APOP for a hash", `six\0${apop("secret")}\0${challenge}\0`, 1],
    ["no timestamp: AUTH PLAIN", "iain\0secret\0", 0],
    ["an empty timestamp", "iain\0secret\0\0", 0],
    ["a timestamp without an end", "iain\0secret\0x", 0],
    ["more behind the timestamp", "iain\0secret\0x\0y\0z", 0],
    ["512 bytes", `iain\0secret\0${"x".repeat(500)}`, 0],
    // refused
    ["513 bytes", `iain\0secret\0${"x".repeat(501)}`, 1],
    ["1 MB", `iain\0secret\0${"x".repeat(1 << 20)}`, 1],
    ["1 MB of NULs", "\0".repeat(1 << 20), 1],
    ["a wrong password", "iain\0Secret\0x\0", 1],
    ["a longer password", "iain\0secrets\0x\0", 1],
    ["an empty password", "iain\0\0x\0", 1],
    ["an unknown login", "nobody-has-it\0secret\0x\0", 1],
    ["an unknown local part", "other@virtual.com\0secret\0x\0", 1],
    ["a virtual row for no mailbox", "gone@virtual.com\0secret\0x\0", 1],
    ["another mailbox's password for a box of that very name", "box@virtual.com\0secret\0x\0", 1],
    ["an empty stored password", "empty\0\0x\0", 1],
    ["a locked mailbox", "locked\0!\0x\0", 1],
    ["a suspended mailbox", "suspended\0secret\0x\0", 1],
    ["a suspended mailbox by its address", "s@catch.com\0secret\0x\0", 1],
    ["a locked system account", "locked\0!\0x\0", 1],
    ["an empty shadow password", "open\0\0x\0", 1],
    ["an expired system account", "old\0system\0x\0", 1],
    ["a wrong system password", "joe\0System\0x\0", 1],
    ["a system account without a shadow entry", "alias\0\0x\0", 1],
    ["a uid for a login", "64020\0system\0x\0", 1],
    ["all empty", "\0\0\0", 1],
    ["bytes that are no text", "\xff\xfe\0\xff\0\xff\0", 1],
    ["a neighbour by accent", "ia\xc3\xadn\0secret\0x\0", 1],
    ["a neighbour by blank", "iain \0secret\0x\0", 1],
    ["SQL", "iain' OR '1'='1\0' OR '1'='1\0x\0", 1],
    ["an option of getent", "--help\0x\0x\0", 1],
    ["a line end", "joe\n\0system\0x\0", 1],
    // misused
    ["nothing", "", 2],
    ["no NUL", "iain", 2],
    ["one NUL", "iain\0", 2],
    ["a password without an end", "iain\0secret", 2],
    ["512 bytes without a NUL", "x".repeat(512), 2],
    // trouble
    ["a hash of no known scheme", "broken\0hunter2\0x\0", 111],
    ["a row with uid 0", "zero\0secret\0x\0", 111],
    ["a missing home", "homeless\0secret\0x\0", 111],
    ["a home that is closed to the mailbox", "closed\0secret\0x\0", 111],
  ])("%s", async (_what, fd3, expected) => {
    const { code, signal, stdout, stderr } = await login(fd3, ["/bin/echo", "in"]);
    expect({ code, signal, stdout }).toEqual({
      code: expected,
      signal: null,
      stdout: expected ? "" : "in\n",
    });
    // A refusal prints nothing, any other failure one line, without the password.
    expect(stderr).toMatch(expected > 1 ? /^checkpassword: fatal: unable to [^\n]+\n$/ : /^$/);
    expect(stderr).not.toMatch(/secret|hunter2/);
  });

  test.each([
    [
      "broken",
      'unable to verify the password of mailbox row "broken": its hash is invalid or of an unknown scheme',
    ],
    ["zero", 'unable to use mailbox row "zero": its uid is 0'],
    ["homeless", "unable to chdir to /nonexistent: file does not exist"],
    ["closed", "unable to chdir to /root: access denied"],
  ])("says what is wrong with the row %s", async (name, line) => {
    const { stderr } = await login(`${name}\0secret\0x\0`);
    expect(stderr).toBe(`checkpassword: fatal: ${line}\n`);
  });
});
