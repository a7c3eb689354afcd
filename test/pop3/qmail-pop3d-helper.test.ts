import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { run } from "../lib/program.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;
let world: World;
let home: string;
let maildir: string;
beforeEach(() => {
  world = makeWorld();
  home = world.user("iain", UID, GID);
  maildir = join(home, "Maildir");
});
afterEach(() => world.remove());

const helper = (args: readonly string[] = ["echo", "served"], env: Readonly<Record<string, string>> = {}) =>
  run("qmail-pop3d-helper", args, { env: { HOME: home, USER: "iain", ...env }, uid: UID, gid: GID });
const warning = (text: string) => `qmail-pop3d-helper: warning: user iain: ${text}\n`;

describe.skipIf(!isRoot)("qmail-pop3d-helper", () => {
  test("says nothing of a Maildir as it should be", async () => {
    expect(await helper()).toMatchObject({ code: 0, stdout: "served\n", stderr: "" });
  });

  test.each<[string, () => void, () => string[]]>([
    ["no Maildir", () => rmSync(maildir, { recursive: true }), () => [`${maildir} does not exist`]],
    [
      "a file",
      () => {
        rmSync(maildir, { recursive: true });
        writeFileSync(maildir, "");
      },
      () => [`${maildir} is not a directory`],
    ],
    [
      "a link that leads nowhere",
      () => {
        rmSync(maildir, { recursive: true });
        symlinkSync("/nonexistent", maildir);
      },
      () => [`${maildir} is a symbolic link to /nonexistent, which does not exist`],
    ],
    ["no home", () => rmSync(home, { recursive: true }), () => [`${home} does not exist`]],
    [
      // the FAQ's example: /home/mail must be executable to the uid.gid
      "a directory above that only root may search",
      () => chmodSync(dirname(home), 0o700),
      () => [`${dirname(home)} is not searchable by uid ${UID}: it is owned by uid 0 gid 0, mode 0700`],
    ],
    [
      "a home of somebody else",
      () => chownSync(home, 64801, 64801),
      () => [`${home} is not searchable by uid ${UID}: it is owned by uid 64801 gid 64801, mode 0700`],
    ],
    [
      "a Maildir made by root",
      () => {
        for (const sub of ["", "cur", "new", "tmp"]) chownSync(join(maildir, sub), 0, 0);
      },
      () => [
        `${maildir} is owned by uid 0, not by uid ${UID}`,
        `${maildir} is not readable, not writable, not searchable by uid ${UID}: it is owned by uid 0 gid 0, mode 0700`,
      ],
    ],
    [
      "root's subdirectories, open to all",
      () => {
        for (const sub of ["cur", "new"]) {
          chownSync(join(maildir, sub), 0, 0);
          chmodSync(join(maildir, sub), 0o777);
        }
      },
      () => ["cur", "new"].map((sub) => `${maildir}/${sub} is owned by uid 0, not by uid ${UID}`),
    ],
    [
      "subdirectories missing",
      () => {
        for (const sub of ["tmp", "cur"]) rmdirSync(join(maildir, sub));
      },
      () => ["cur", "tmp"].map((sub) => `${maildir}/${sub} does not exist`),
    ],
    [
      "a new/ that is read-only",
      () => chmodSync(join(maildir, "new"), 0o500),
      () => [`${maildir}/new is not writable by uid ${UID}: it is owned by uid ${UID} gid ${GID}, mode 0500`],
    ],
  ])("names what is wrong, and lets qmail-pop3d answer all the same: %s", async (_, spoil, expected) => {
    spoil();
    const got = await helper();
    expect([got.code, got.stdout, got.stderr]).toEqual([0, "served\n", expected().map(warning).join("")]);
  });

  test("keeps the log a line each, whatever the home is called", async () => {
    const { stderr } = await helper(["true"], { HOME: "/no\nsuch\u001b[31m" });
    expect(stderr).toBe(warning("/no?such?[31m does not exist"));
  });

  const modes = () => ["", "cur", "new", "tmp"].map((sub) => statSync(join(maildir, sub)).mode & 0o7777);

  test("-c makes a Maildir for its user alone", async () => {
    rmSync(maildir, { recursive: true });
    expect(await helper(["-c", "echo", "served"])).toMatchObject({ code: 0, stdout: "served\n", stderr: "" });
    expect(modes()).toEqual([0o700, 0o700, 0o700, 0o700]);
    expect(statSync(maildir)).toMatchObject({ uid: UID, gid: GID });
  });

  test("-c makes what is missing and touches nothing else", async () => {
    rmdirSync(join(maildir, "tmp"));
    writeFileSync(join(maildir, "new/1"), "");
    expect((await helper(["-c", "true"])).stderr).toBe("");
    expect([readdirSync(maildir).sort(), readdirSync(join(maildir, "new"))]).toEqual([
      ["cur", "new", "tmp"],
      ["1"],
    ]);
  });

  test("-c by many logins at once makes one Maildir, and leaves nothing else", async () => {
    rmSync(maildir, { recursive: true });
    const all = await Promise.all(Array.from({ length: 12 }, () => helper(["-c", "true"])));
    expect(all.map(({ stderr }) => stderr).join("")).toBe("");
    expect(readdirSync(home)).toEqual(["Maildir"]);
    expect(readdirSync(maildir).sort()).toEqual(["cur", "new", "tmp"]);
  });

  test("-c where it may not: says so, and what is wrong", async () => {
    rmSync(maildir, { recursive: true });
    chmodSync(home, 0o500);
    expect(await helper(["-c", "echo", "served"])).toMatchObject({
      code: 0,
      stdout: "served\n",
      stderr: warning(`unable to create ${maildir}: access denied`) + warning(`${maildir} does not exist`),
    });
  });

  test("-c that fails leaves nothing behind", async () => {
    rmSync(maildir, { recursive: true });
    symlinkSync("/nonexistent", maildir);
    expect((await helper(["-c", "true"])).stderr).toContain(`unable to create ${maildir}: not a directory\n`);
    expect(readdirSync(home)).toEqual(["Maildir"]);
  });

  test("-m names another Maildir", async () => {
    expect((await helper(["-m", "./Mail/", "true"])).stderr).toBe(warning(`${home}/Mail does not exist`));
    expect((await helper(["-cmMail", "true"])).stderr).toBe("");
    expect(readdirSync(join(home, "Mail")).sort()).toEqual(["cur", "new", "tmp"]);
  });

  test("makes nothing for root", async () => {
    const root = join(home, "root");
    mkdirSync(root);
    const got = await run("qmail-pop3d-helper", ["-c", "echo", "served"], { env: { HOME: root } });
    expect(got).toMatchObject({
      code: 0,
      stdout: "served\n",
      stderr: "qmail-pop3d-helper: warning: uid 0 reads no mail: the Maildir is not looked at\n",
    });
    expect(readdirSync(root)).toEqual([]);
  });
});

describe("qmail-pop3d-helper's program", () => {
  test.each([[[]], [["-c"]], [["-m", "Mail"]], [["-m"]], [["-x", "true"]]])("usage: %j", async (args) => {
    const got = await run("qmail-pop3d-helper", args, { env: { HOME: home } });
    expect([got.code, got.stderr]).toEqual([
      100,
      "qmail-pop3d-helper: usage: qmail-pop3d-helper [-c] [-m maildir] prog [arg ...]\n",
    ]);
  });

  test("takes its options as they are, its exit code is ours", async () => {
    const got = await run("qmail-pop3d-helper", ["sh", "-c", 'echo "$*"; exit 3', "-c", "-m"], {
      env: { HOME: home },
    });
    expect([got.code, got.stdout]).toEqual([3, "-m\n"]);
  });

  test("that cannot be run is trouble: 111", async () => {
    const got = await run("qmail-pop3d-helper", ["/nonexistent/prog"], { env: { HOME: home } });
    expect(got.code).toBe(111);
    expect(got.stderr).toContain("fatal: unable to run /nonexistent/prog: file does not exist\n");
  });
});
