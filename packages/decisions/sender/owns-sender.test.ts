import { Trouble } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { expect, test } from "vitest";
import { ownsSender, type SenderPorts } from "./index.ts";

const mailbox = (username: string, suspended = false) => ({
  username,
  uid: 1000,
  gid: 1000,
  home: `/home/${username}`,
  suspended,
});
const account = (name: string, uid: number) => ({ name, uid, gid: uid, home: `/home/${name}`, shell: "" });
const MAILBOXES = [mailbox("joe"), mailbox("ann"), mailbox("full@box.example"), mailbox("gone", true)];
const ACCOUNTS = [account("alias", 7790), account("sys", 2000)];
// username, ext, virtual_username, virtual_host
const VIRTUAL = [
  ["joe", "", "sales", "virtual.example"],
  ["joe", "shop", "shop", "virtual.example"],
  ["ann", "", "", "catch.example"],
  ["forward", "joe@here.example", "magic", "virtual.example"],
  ["full@box.example", "", "full", "box.example"],
  ["joe", "", "closed", "virtual.example", "disabled"],
].map(([username = "", ext = "", virtualUsername = "", virtualHost = "", disabled]) => ({
  username,
  ext,
  virtualUsername,
  virtualHost,
  isDisabled: disabled !== undefined,
}));
// username, alias, alias_username, alias_host
const ALIASES = [
  ["alias", "info", "joe", "here.example"],
  ["alias", "info", "ann", "here.example"],
  ["alias", "team", "info", "here.example"],
  ["alias", "loop", "loop2", "here.example"],
  ["alias", "loop2", "loop", "here.example"],
  ["alias", "pipe", "|", "program"],
  ["alias", "closed", "joe", "here.example", "disabled"],
  ["alias", "away", "joe", "elsewhere.example"],
  ["alias", "vsales", "sales", "virtual.example"],
  ["ann", "list", "joe", "here.example"],
  ...Array.from({ length: 300 }, (_, i) => ["alias", "all", `u${i}`, "here.example"]),
].map(([username = "", alias = "", aliasUsername = "", aliasHost = "", disabled]) => ({
  username,
  alias,
  aliasUsername,
  aliasHost,
  isDisabled: disabled !== undefined,
}));

const PORTS: SenderPorts = {
  settings: {
    breakChar: "-",
    aliasUser: "alias",
    homeMismatch: "defer",
    suspendedMail: "bounce",
    funkyQueries: false,
    magicForwarding: true,
  },
  controls: () => ({
    envnoathost: "here.example",
    percenthack: new Set(),
    locals: new Set(["here.example"]),
    virtualdomains: new Map([
      ["virtual.example", "virtual.example"],
      ["catch.example", "catch.example"],
      ["box.example", "box.example"],
      ["joes.example", "joe"],
    ]),
  }),
  inCdb: () => undefined,
  findMailboxes: async (names) => MAILBOXES.filter(({ username }) => names.includes(username)),
  findSystemAccounts: async (names) => ACCOUNTS.filter(({ name }) => names.includes(name)),
  findVirtual: async (local, host) =>
    VIRTUAL.filter((row) => row.virtualHost === host && ["", local].includes(row.virtualUsername)),
  findVirtualHosts: async (hosts) =>
    hosts
      .filter((host) => VIRTUAL.some(({ virtualHost }) => virtualHost === host))
      .map((host) => ({ host, exact: true })),
  findAliases: async (username, aliases) =>
    ALIASES.filter((row) => row.username === username && aliases.includes(lower(row.alias))),
};

test.each([
  // its own address, extensions, and a host whose mail is all joe's
  ["joe", "joe@here.example", true],
  ["JOE", "Joe@HERE.example", true],
  ["joe", "joe-list@here.example", true],
  ["joe", "anything@joes.example", true],
  ["joe", "joe", true],
  // virtual rows, for the mailbox and for a login that is the virtual address
  ["joe", "sales@virtual.example", true],
  ["joe", "shop@virtual.example", true],
  ["sales@virtual.example", "joe@here.example", true],
  ["sales@virtual.example", "shop@virtual.example", true],
  ["ann", "whoever@catch.example", true],
  ["full@box.example", "full@box.example", true],
  ["joe", "magic@virtual.example", true],
  // alias rows
  ["joe", "info@here.example", true],
  ["joe", "team@here.example", true],
  ["joe", "vsales@here.example", true],
  ["joe", "ann-list@here.example", true],
  ["gone", "gone@here.example", true],
  ["sys", "sys@here.example", true],
  ["sys", "sys-x@here.example", true],
  // those of others
  ["joe", "ann@here.example", false],
  ["joe", "whoever@catch.example", false],
  ["joe", "unknown@virtual.example", false],
  ["joe", "joe@elsewhere.example", false],
  ["joe", "joe@virtual.example", false],
  ["joe", "away@here.example", false],
  ["joe", "pipe@here.example", false],
  ["joe", "closed@here.example", false],
  ["joe", "closed@virtual.example", false],
  ["closed@virtual.example", "joe@here.example", false],
  ["joe", "loop@here.example", false],
  ["joe", "sys@here.example", false],
  ["joe", "nobody@here.example", false],
  ["joe", "joex@here.example", false],
  ["joe", "@here.example", false],
  ["gone", "joe@here.example", false],
  ["nobody", "joe@here.example", false],
  ["alias", "joe@here.example", false],
  // a login that only an external program knows
  ["bob@elsewhere.example", "Bob@Elsewhere.example", true],
  ["bob@elsewhere.example", "joe@here.example", false],
])("%s sends as %s: %s", async (login, sender, owns) => {
  expect(await ownsSender(login, sender, PORTS)).toBe(owns);
});

test("a list of too many addresses is trouble, as is a lookup that fails", async () => {
  await expect(ownsSender("joe", "all@here.example", PORTS)).rejects.toBeInstanceOf(Trouble);
  const away = { ...PORTS, findAliases: () => Promise.reject(new Trouble("away")) };
  await expect(ownsSender("joe", "info@here.example", away)).rejects.toThrow("away");
});
