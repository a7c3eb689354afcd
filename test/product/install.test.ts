import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const ROOT = join(import.meta.dirname, "../..");
const STOCK = ["qmail-getpw", "qmail-local", "qmail-queue"];

describe.skipIf(!isRoot)("make install, make uninstall", () => {
  let world: World;
  const bin = (name = "") => join(world.home, "bin", name);
  const there = () =>
    readdirSync(bin())
      .filter((name) => !name.endsWith(".stock"))
      .sort();
  const install = (env: Record<string, string> = {}, ...args: string[]) =>
    spawnSync(join(ROOT, "scripts/install.sh"), args, {
      encoding: "utf8",
      env: { PATH: process.env.PATH, QMAIL_HOME: world.home, MANDIR: join(world.home, "man"), ...env },
      input: "",
    });
  beforeEach(() => {
    world = makeWorld();
    for (const name of STOCK) writeFileSync(bin(name), "#!/bin/sh\n", { mode: 0o755 });
  });
  afterEach(() => world.remove());

  test("without control/sqlserver the programs of the mail path stay as they are", () => {
    const { status, stderr } = install();
    expect([status, there()]).toEqual([1, STOCK]);
    expect(stderr).toContain("no ");
    expect(stderr).toContain("control/sqlserver");
    expect(install({ PROGRAMS: "qmail-local" }).status).toBe(1);
    expect(install({ PROGRAMS: "tcpserver-sql" }).status).toBe(0);
    expect(install({ CONFIGURE: "later" }).status).toBe(0);
    expect(readlinkSync(bin("qmail-getpw"))).toBe("qmail-mysql");
  });

  test("qmail-local and qmail-lspawn are installed when they are named; qmail-local, when qmail-sqld is set up", () => {
    sqlite.prepare(world);
    expect(install().status).toBe(0);
    expect(readlinkSync(bin("qmail-getpw"))).toBe("qmail-mysql");
    expect(lstatSync(bin("qmail-local")).isFile()).toBe(true);
    expect(existsSync(bin("qmail-lspawn"))).toBe(false);
    const { status, stderr } = install({ PROGRAMS: "qmail-local" });
    expect([status, lstatSync(bin("qmail-local")).isFile()]).toEqual([1, true]);
    expect(stderr).toContain("no ");
    expect(stderr).toContain("control/sqld,");
    writeFileSync(join(world.home, "control/sqld"), "/run/qmail-sqld/socket\n");
    expect(install({ PROGRAMS: "qmail-local" }).status).toBe(0);
    expect(readlinkSync(bin("qmail-local"))).toBe("qmail-mysql");
  });

  test("a package is made without it", () => {
    expect(install({ DESTDIR: join(world.home, "package"), QMAIL_HOME: "/var/qmail" }).status).toBe(0);
    expect(existsSync(join(world.home, "package/var/qmail/bin/qmail-getpw"))).toBe(true);
  });

  test("a name that no program has is refused, and nothing is changed", () => {
    sqlite.prepare(world);
    for (const names of ["qmail-queue", "qmail-getpw qmail-queue", "multicall"]) {
      const { status, stderr } = install({ PROGRAMS: names });
      expect([status, there()]).toEqual([1, STOCK]);
      expect(stderr).toMatch(/no program (qmail-queue|multicall) here/);
    }
  });

  test("taken out, the stock programs are back, no link is left, and what will bounce is counted", () => {
    sqlite.prepare(world).sql(`${mailboxRow({ name: "iain", uid: 800, home: "/h" })}
      ${mailboxRow({ name: "sam", uid: 800, home: "/h" })} INSERT INTO rcpthosts VALUES ('virtual.com');`);
    expect(install().status).toBe(0);
    symlinkSync("qmail-mysql", bin("qmail-rspawn")); // what an older version had
    const { status, stderr } = install({}, "uninstall");
    expect([status, readdirSync(bin()).sort()]).toEqual([0, STOCK]);
    expect(stderr).toMatch(/1 mailboxes .* 1 domains/); // sam has an account
  });

  test("taken out while the database cannot be asked, what will bounce is not counted as none", () => {
    world.control("sqlserver", "driver sqlite\ndb /nonexistent/mail.db\n");
    expect(install().status).toBe(0);
    const { status, stderr } = install({}, "uninstall");
    expect(status).toBe(0);
    expect(stderr).toContain("for every mailbox without a system account");
    expect(stderr).not.toMatch(/\d+ mailboxes/);
  });

  test("one program taken out leaves the others", () => {
    sqlite.prepare(world);
    install();
    expect(install({ PROGRAMS: "qmail-local" }, "uninstall").status).toBe(0);
    expect(readlinkSync(bin("qmail-getpw"))).toBe("qmail-mysql");
    expect(existsSync(bin("qmail-mysql"))).toBe(true);
  });
});
