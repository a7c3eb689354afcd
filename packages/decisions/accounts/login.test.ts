import type { VirtualRow } from "@qmail-mysql/routing";
import { describe, expect, test, vi } from "vitest";
import { authenticate, type LoginPorts } from "./login.ts";
import type { Login } from "./mailbox.ts";

const row = (username: string, more: Partial<Login> = {}): Login => ({
  username,
  uid: 800,
  gid: 100,
  home: `/home/mail/${username}`,
  suspended: false,
  password: `${username}'s`,
  passwordType: "Password",
  ...more,
});
const account = (name: string, uid = 1000, expired = false) => ({
  name,
  uid,
  gid: 50,
  home: `/home/${name}`,
  shell: "/bin/zsh",
  password: `${name}'s`,
  expired,
});
const virtual = (virtualUsername: string, virtualHost: string, username: string): VirtualRow => ({
  username,
  ext: "",
  virtualUsername,
  virtualHost,
});

const boxes = [
  row("iain"),
  row("Mixed"),
  row("box@virtual.com"),
  row("joe", { suspended: true }),
  row("zero", { uid: 0 }),
  row("broken", { password: "?" }),
];
const virtuals = [
  virtual("sales", "virtual.com", "iain"),
  virtual("gone", "virtual.com", "nobody"),
  virtual("box", "virtual.com", "iain"),
  virtual("", "catch.com", "Mixed"),
  { ...virtual("off", "catch.com", "iain"), isDisabled: true },
];
const accounts = [
  account("joe"),
  account("sys"),
  account("Cap"),
  account("root", 0),
  account("old", 1001, true),
];

/** Ports over the tables above, and the order in which they were called. */
function world(changes: Partial<LoginPorts> = {}) {
  const asked: string[] = [];
  const log =
    <A extends unknown[], R>(name: string, answer: (...args: A) => R) =>
    async (...args: A): Promise<R> => {
      asked.push(name);
      return answer(...args);
    };
  const verify = (typed: string, stored: string) => {
    if (stored === "?") throw new Error("of no scheme known here");
    return typed === stored;
  };
  const ports: LoginPorts = {
    findLogin: log("mailbox", (name) => boxes.find((box) => box.username.toLowerCase() === name)),
    findVirtual: log("virtual", (_local, host) => virtuals.filter((v) => v.virtualHost === host)),
    findSystemLogin: log("system", (name) => accounts.find((a) => a.name === name)),
    decoy: log("decoy", () => ({ password: "first's", passwordType: "Password" })),
    verify: log("verify", verify),
    verifySystem: log("verify", verify),
    ...changes,
  };
  return { ports, asked };
}

const ask = (login: string, password: string, ports = world().ports) =>
  authenticate({ login, password, challenge: "" }, { funkyQueries: false }, ports);

test.each([
  ["iain", "iain's", "iain"],
  ["IAIN", "iain's", "iain"],
  ["mixed", "Mixed's", "Mixed"],
  ["box@virtual.com", "box@virtual.com's", "box@virtual.com"], // a mailbox of exactly that name comes first
  ["sales@virtual.com", "iain's", "iain"],
  ["Sales@Virtual.COM", "iain's", "iain"],
  ["any@catch.com", "Mixed's", "Mixed"],
])("%s with %s is the mailbox %s", async (login, password, user) => {
  expect(await ask(login, password)).toEqual({
    accepted: { user, uid: 800, gid: 100, home: `/home/mail/${user}`, shell: "/bin/sh" },
  });
});

test.each([["sys"], ["Cap"]])("%s is the system account", async (name) => {
  expect(await ask(name, `${name}'s`)).toEqual({
    accepted: { user: name, uid: 1000, gid: 50, home: `/home/${name}`, shell: "/bin/zsh" },
  });
});

test.each([
  ["iain", "wrong", "wrong password"],
  ["sales@virtual.com", "wrong", "wrong password"],
  ["other@virtual.com", "iain's", "unknown"],
  ["gone@virtual.com", "nobody's", "unknown"],
  ["off@catch.com", "iain's", "unknown"], // a disabled address, neither its mailbox nor that of the catch-all
  ["off@catch.com", "Mixed's", "unknown"],
  ["sys", "wrong", "wrong password"],
  ["SYS", "sys's", "unknown"], // system names are case-sensitive, as in getpwnam(3)
  ["old", "old's", "expired"],
  ["old", "wrong", "wrong password"],
  ["joe", "joe's", "suspended"],
  ["joe", "wrong", "wrong password"], // the system account joe is not tried: the row decides
  ["root", "root's", "unknown"],
  ["nobody", "x", "unknown"],
  ["nobody", "first's", "unknown"], // the password of the decoy is not accepted
  ["@", "x", "unknown"],
  ["", "", "unknown"],
])("%j with %j is refused: %s", async (login, password, refused) => {
  expect(await ask(login, password)).toEqual({ refused });
});

describe("trouble is not a refusal", () => {
  const down = async () => {
    throw new Error("server gone");
  };
  test.each([
    ["the mailbox table", "nobody", { findLogin: down }],
    ["the virtual table", "a@b", { findVirtual: down }],
    ["the system", "nobody", { findSystemLogin: down }],
    ["the decoy", "nobody", { decoy: down }],
  ])("%s does not answer", async (_what, login, changes) => {
    await expect(ask(login, "x", world(changes).ports)).rejects.toThrow("server gone");
  });
  test("a stored password that cannot be verified is reported with its row", async () => {
    await expect(ask("broken", "x")).rejects.toThrow(
      'unable to verify the password of mailbox row "broken": of no scheme known here',
    );
  });
  test.each(["zero's", "wrong"])(
    "a row with uid 0 is not used, whatever the password (%s)",
    async (password) => {
      await expect(ask("zero", password)).rejects.toThrow('unable to use mailbox row "zero": its uid is 0');
    },
  );
  test("trouble after a refusal does not change it", async () => {
    expect(await ask("iain", "wrong", world({ findSystemLogin: down }).ports)).toEqual({
      refused: "wrong password",
    });
  });
  test("a decoy row that cannot be verified is not trouble for an unknown login", async () => {
    const decoy = async () => ({ password: "?", passwordType: "Password" });
    expect(await ask("nobody", "x", world({ decoy }).ports)).toEqual({ refused: "unknown" });
  });
});

describe("every refusal takes the same lookups and comparisons", () => {
  const cost = async (login: string) => {
    const { ports, asked } = world();
    await ask(login, "wrong", ports);
    return asked.sort();
  };
  test.each(["iain", "joe", "sys", "old", "root", "nobody"])("%s", async (login) => {
    expect(await cost(login)).toEqual(["decoy", "mailbox", "system", "verify"]);
  });
  test.each([
    "box@virtual.com",
    "sales@virtual.com",
    "gone@virtual.com",
    "other@x",
    "any@catch.com",
    "off@catch.com",
  ])("%s", async (login) => {
    expect(await cost(login)).toEqual(["decoy", "mailbox", "mailbox", "system", "verify", "virtual"]);
  });
  test.each([
    ["", "Password"],
    ["!", "Crypt-Password"],
    ["*", "Crypt-Password"],
    ["!$6$salt$hash", "crypt-password"],
    ["{CRYPT}*", "Crypt-Password"],
    ["", "Crypt-Password"],
  ])("a locked password (%j, %s) is compared with the decoy", async (password, passwordType) => {
    const verify = vi.fn(async () => false);
    const findLogin = async () => row("locked", { password, passwordType });
    expect(await ask("locked", "wrong", world({ verify, findLogin }).ports)).toEqual({
      refused: "wrong password",
    });
    expect(verify).toHaveBeenLastCalledWith("wrong", "first's", "Password", "");
  });
  test.each(["!", "*", "", "x", "!$6$salt$hash"])(
    "as is a locked system account's (%j)",
    async (password) => {
      const verify = vi.fn(async () => false);
      const findSystemLogin = async () => ({ ...account("daemon"), password });
      const ports = world({ verify, verifySystem: async () => false, findSystemLogin }).ports;
      expect(await ask("daemon", "wrong", ports)).toEqual({ refused: "wrong password" });
      expect(verify).toHaveBeenCalledWith("wrong", "first's", "Password", "");
    },
  );
  test("an accepted login takes one lookup", async () => {
    const { ports, asked } = world();
    await ask("iain", "iain's", ports);
    expect(asked).toEqual(["mailbox", "verify"]);
  });
});

test.each([
  [true, "sa%", "accepted"],
  [true, "%", "accepted"],
  [false, "sa%", "refused"],
])("with funky queries %s the virtual row of %s is %s", async (funkyQueries, pattern, outcome) => {
  const findVirtual = async () => [virtual(pattern, "funky.com", "iain")];
  const credentials = { login: "sales@funky.com", password: "iain's", challenge: "" };
  const verdict = await authenticate(credentials, { funkyQueries }, world({ findVirtual }).ports);
  expect(Object.keys(verdict)).toEqual([outcome]);
});

test("a virtual row without a username is trouble", async () => {
  const findVirtual = async () => [virtual("", "blank.com", "")];
  await expect(ask("a@blank.com", "x", world({ findVirtual }).ports)).rejects.toThrow("has no username");
});

test("the challenge reaches the comparison", async () => {
  const verify = vi.fn(async () => true);
  const credentials = { login: "iain", password: "p", challenge: "<1@h>" };
  await authenticate(credentials, { funkyQueries: false }, world({ verify }).ports);
  expect(verify).toHaveBeenCalledWith("p", "iain's", "Password", "<1@h>");
});
