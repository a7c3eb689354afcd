import { describe, expect, test } from "vitest";
import { format, type GetpwPorts, type GetpwSettings, getpw, Held } from "./getpw.ts";
import type { Mailbox } from "./mailbox.ts";

const settings: GetpwSettings = {
  breakChar: "-",
  aliasUser: "alias",
  homeMismatch: "alias",
  suspendedMail: "deliver",
  funkyQueries: false,
  magicForwarding: false,
};

const box = (username: string, uid = 1000): Mailbox => ({
  username,
  uid,
  gid: 100,
  home: `/home/${username}`,
  suspended: false,
});

/** Ports over maps: mailboxes, system accounts, virtual rows `user ext local host`. */
function world(
  names: readonly Mailbox[],
  virtual: readonly string[] = [],
  system = ["joe", "alias"],
): GetpwPorts {
  const rows = virtual.map((text) => {
    const [username = "", ext = "", virtualUsername = "", virtualHost = ""] = text.split(" ");
    return { username, ext, virtualUsername, virtualHost };
  });
  return {
    findMailboxes: async (asked) => names.filter(({ username }) => asked.includes(username.toLowerCase())),
    findSystemAccounts: async (asked) =>
      system
        .filter((name) => asked.includes(name))
        .map((name) => ({ name, uid: 2000, gid: 100, home: `/home/${name}`, shell: "/bin/sh" })),
    findVirtual: async (_, host) => rows.filter((row) => row.virtualHost === host || row.virtualHost === "%"),
    findVirtualHosts: async (hosts) =>
      hosts
        .filter((host) => rows.some((row) => row.virtualHost === host || row.virtualHost === "%"))
        .map((host) => ({ host, exact: rows.some((row) => row.virtualHost === host) })),
    homeOwner: (home) =>
      home.includes("gone")
        ? { unusable: "file does not exist" }
        : { uid: names.some((n) => n.home === home) ? 1000 : 2000 },
    warn: () => {},
  };
}

const answer = async (local: string, w: GetpwPorts, changes: Partial<GetpwSettings> = {}) => {
  const found = await getpw(local, { ...settings, ...changes }, w);
  return found && `${found.user}|${found.dash}|${found.ext}`;
};

describe("virtual addresses, as stock qmail-send passes them on", () => {
  const virtual = [
    "virtual @  virtual.com",
    "iain  info virtual.com",
    "iain list news virtual.com",
    "my   x my-domain.com",
  ];
  const w = world(
    [box("virtual"), box("iain"), box("my"), box("iain-list")],
    ["ghost  lost virtual.com", ...virtual, "sales  sales my-domain.com"],
  );
  test.each([
    ["virtual.com-info", "iain||"],
    ["virtual.com-INFO", "iain||"],
    ["virtual.com-anything-else", "virtual|-|@"],
    ["virtual.com-news", "iain-list||"], // the row's user and extension are split like any local part
    ["virtual.com-lost", "alias|-|ghost"], // CPAN's Qmail::Mysql: a user that exists only in the alias table
    ["virtual.com-", "virtual|-|@"],
    ["my-domain.com-sales", "alias|-|sales"],
    ["my-domain.com-nobody", "alias|-|my-domain.com-nobody"], // never mail for the mailbox my
    ["my-other", "my|-|other"],
  ])("%s -> %s", async (local, expected) => {
    expect(await answer(local, w)).toBe(expected);
  });
});

test("a disabled virtual address is refused, and does not fall to the catch-all", async () => {
  const w = world([box("iain"), box("virtual")], ["virtual @  v.com", "iain  info v.com"]);
  const findVirtual: GetpwPorts["findVirtual"] = async (local, host) =>
    (await w.findVirtual(local, host)).map((row) => ({ ...row, isDisabled: row.username === "iain" }));
  const refused = expect.objectContaining({
    bounce: true,
    message: "virtual address info@v.com is disabled",
  });
  await expect(answer("v.com-info", { ...w, findVirtual })).rejects.toThrow(refused);
  expect(await answer("v.com-other", { ...w, findVirtual })).toBe("virtual|-|@");
});

test("of two virtual hosts with which a local part may begin, that of the address is used, if it is known", async () => {
  const w = world([box("anna"), box("ben")], ["anna @  a.com", "ben   a.com-b.com"]);
  const at = async (host?: string) => (await getpw("a.com-b.com-x", settings, w, host))?.user;
  expect(await at("A.com")).toBe("anna"); // b.com-x@a.com
  expect(await at("a.com-b.com")).toBe("ben"); // x@a.com-b.com
  expect(await at()).toBe("ben"); // as qmail-getpw
  expect(await at("elsewhere.com")).toBe("ben");
});

test("a host with a row of its own is preferred to a longer one that only a pattern matches", async () => {
  const w = world([box("joe"), box("iain")], ["joe  jean-paul v.com", "iain  % %"]);
  const user = async (local: string, host?: string) =>
    (await getpw(local, { ...settings, funkyQueries: true }, w, host))?.user;
  expect(await user("v.com-jean-paul")).toBe("joe");
  expect(await user("v.com-jean-paul", "v.com")).toBe("joe");
  expect(await user("v.com-marie-claire")).toBe("iain");
  expect(await user("w.org-jean-paul")).toBe("iain");
});

test("with magic forwarding the alias user controls the address, under the name forward", async () => {
  const w = world([], ["forward pop@hotmail.com user virtual.com"]);
  expect(await answer("virtual.com-user", w, { magicForwarding: true })).toBe("forward|-|pop@hotmail.com");
  expect(await answer("virtual.com-user", w)).toBe("alias|-|forward-pop@hotmail.com");
});

test("a mailbox whose home is unusable goes to alias, and to no shorter name", async () => {
  const w = world([box("joe"), { ...box("joe-work"), home: "/gone" }]);
  expect(await answer("joe-work-x", w)).toBe("alias|-|joe-work-x");
  await expect(answer("joe-work-x", w, { homeMismatch: "defer" })).rejects.toThrow(Held);
});

test("no result without an alias account", async () => {
  expect(await answer("x", world([], [], []))).toBeUndefined();
});

test("an address of any bytes has a result, and never another user's mailbox", async () => {
  const names = ["a", "a-b", "b@c.org", "\xe9"];
  const w = world(
    names.map((name) => box(name)),
    ["a  x v.org", "b@c.org  - v.org"],
  );
  let seed = 1;
  const random = (n: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % n;
  };
  const alphabet = [
    "a",
    "A",
    "b",
    "-",
    "-",
    "@",
    ".",
    "v.org-",
    "\0",
    "\xe9",
    "\xff",
    " ",
    "%",
    "'",
    "\u212a",
  ];
  for (let i = 0; i < 20_000; i++) {
    const local = Array.from({ length: random(8) }, () => alphabet[random(alphabet.length)]).join("");
    const found = await getpw(local, settings, w);
    if (!found) throw new Error(local);
    if (!local.includes("\0")) expect(format(found).split("\0")).toHaveLength(7);
    const named = local.toLowerCase().startsWith("v.org-") ? undefined : found?.user;
    if (named !== undefined && named !== "alias") expect(local.toLowerCase().startsWith(named)).toBe(true);
  }
});
