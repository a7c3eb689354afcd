import type { Mailbox, SystemAccount } from "@qmail-mysql/accounts";
import type { AliasRow, VirtualRow } from "@qmail-mysql/routing";
import { Trouble } from "@qmail-mysql/trouble";
import { expect, test } from "vitest";
import { checkRecipient, type RecipientPorts, type Seen } from "./check.ts";

const HOME: Seen = { kind: "directory", uid: 1000, mode: 0o40700 };
const FILE: Seen = { kind: "file", uid: 1000, mode: 0o100600 };

const box = (username: string, more: Partial<Mailbox> = {}): Mailbox => ({
  username,
  uid: 1000,
  gid: 100,
  home: `/home/${username}`,
  suspended: false,
  ...more,
});
const account = (name: string, uid: number): SystemAccount => ({
  name,
  uid,
  gid: 100,
  home: `/home/${name}`,
  shell: "",
});
const alias = (username: string, ext: string, more: Partial<AliasRow> = {}): AliasRow => ({
  username,
  alias: ext,
  aliasUsername: "far",
  aliasHost: "remote.example",
  ...more,
});
const virtual = (username: string, virtualUsername: string, more: Partial<VirtualRow> = {}): VirtualRow => ({
  username,
  ext: "",
  virtualUsername,
  virtualHost: "v.com",
  ...more,
});

interface World {
  readonly boxes: readonly Mailbox[];
  readonly accounts: readonly SystemAccount[];
  readonly aliases: readonly AliasRow[];
  readonly virtuals: readonly VirtualRow[];
  readonly files: Readonly<Record<string, Seen>>;
  readonly settings: Partial<RecipientPorts["settings"]>;
}

const ALIAS = account("alias", 1000);

function world(given: Partial<World>): RecipientPorts {
  const { boxes = [], accounts = [], aliases = [], virtuals = [], files = {}, settings = {} } = given;
  const all = [ALIAS, ...accounts];
  return {
    controls: () => ({
      envnoathost: "h.example",
      percenthack: new Set(["hack.example"]),
      locals: new Set(["h.example", "hack.example"]),
      virtualdomains: new Map([
        ["v.com", "v.com"],
        ["not.v.com", ""],
      ]),
      rcpthosts: new Set(["h.example", "hack.example", "v.com", "not.v.com", ".backup.example"]),
      isInMore: (key) => key === "more.example",
    }),
    settings: {
      breakChar: "-",
      aliasUser: "alias",
      homeMismatch: "defer",
      suspendedMail: "deliver",
      funkyQueries: false,
      magicForwarding: false,
      ...settings,
    },
    inCdb: () => undefined,
    findMailboxes: async (names) => boxes.filter(({ username }) => names.includes(username)),
    findSystemAccounts: async (names) => all.filter(({ name }) => names.includes(name)),
    findAliases: async (user, exts) =>
      aliases.filter((row) => row.username === user && exts.includes(row.alias)),
    findVirtual: async (local) => virtuals.filter((row) => ["", local].includes(row.virtualUsername)),
    findVirtualHosts: async (hosts) =>
      hosts.includes("v.com") && virtuals.length > 0 ? [{ host: "v.com", exact: true }] : [],
    look: async (path) => files[path] ?? (/^\/home\/[^/]*$/.test(path) ? HOME : "absent"),
  };
}

const verdict = async (address: string, given: Partial<World> = {}, mayRelay = false) =>
  (await checkRecipient({ address, mayRelay }, world(given))).verdict;

const ANN = { boxes: [box("ann")] };

test.each<readonly [string, string, Partial<World>, string]>([
  ["a mailbox", "ann@h.example", ANN, "deliverable"],
  ["a mailbox, without a host", "Ann", ANN, "deliverable"],
  ["a mailbox, by percenthack", "ann%h.example@hack.example", ANN, "deliverable"],
  ["another host, by percenthack", "ann%far.example@hack.example", ANN, "unverifiable"],
  ["an extension that nobody has", "ann-x@h.example", ANN, "unknown"],
  ["an extension with a row", "ann-x@h.example", { ...ANN, aliases: [alias("ann", "x")] }, "deliverable"],
  [
    "an extension with a row for any",
    "ann-x@h.example",
    { ...ANN, aliases: [alias("ann", "@")] },
    "catch-all",
  ],
  [
    "an extension with a file",
    "ann-x@h.example",
    { ...ANN, files: { "/home/ann/.qmail-x": FILE } },
    "deliverable",
  ],
  [
    "an extension with a file for any",
    "ann-x@h.example",
    { ...ANN, files: { "/home/ann/.qmail-default": FILE } },
    "catch-all",
  ],
  ["a directory is no file", "ann-x@h.example", { ...ANN, files: { "/home/ann/.qmail-x": HOME } }, "unknown"],
  [
    "a file that is hidden",
    "ann-x@h.example",
    { ...ANN, files: { "/home/ann/.qmail-x": "hidden" } },
    "unverifiable",
  ],
  [
    "a home that is hidden",
    "ann-x@h.example",
    { ...ANN, files: { "/home/ann": "hidden", "/home/ann/.qmail-x": "hidden" } },
    "unverifiable",
  ],
  ["a home that is missing", "ann-x@h.example", { ...ANN, files: { "/home/ann": "absent" } }, "unverifiable"],
  [
    "the user of a missing home",
    "ann@h.example",
    { ...ANN, files: { "/home/ann": "absent" } },
    "deliverable",
  ],
  ["a home of another uid", "ann-x@h.example", { boxes: [box("ann", { uid: 1001 })] }, "unverifiable"],
  [
    "a home of another uid, for alias then",
    "ann@h.example",
    { boxes: [box("ann", { uid: 1001 })], settings: { homeMismatch: "alias" } },
    "unknown",
  ],
  [
    "a hidden home, or for alias",
    "ann@h.example",
    { ...ANN, files: { "/home/ann": "hidden" }, settings: { homeMismatch: "alias" } },
    "unverifiable",
  ],
  [
    "a home that others write",
    "ann-x@h.example",
    { ...ANN, files: { "/home/ann": { ...HOME, mode: 0o40777 } } },
    "unverifiable",
  ],
  ["a suspended mailbox", "ann@h.example", { boxes: [box("ann", { suspended: true })] }, "deliverable"],
  [
    "a suspended mailbox, bounced",
    "ann@h.example",
    { boxes: [box("ann", { suspended: true })], settings: { suspendedMail: "bounce" } },
    "disabled",
  ],
  [
    "a suspended mailbox, deferred",
    "ann@h.example",
    { boxes: [box("ann", { suspended: true })], settings: { suspendedMail: "defer" } },
    "unverifiable",
  ],
  ["a system account", "sam@h.example", { accounts: [account("sam", 1000)] }, "deliverable"],
  ["root", "sam@h.example", { accounts: [account("sam", 0)] }, "unknown"],
  [
    "a system account with a hidden home",
    "sam@h.example",
    { accounts: [account("sam", 1000)], files: { "/home/sam": "hidden" } },
    "unverifiable",
  ],
  ["an alias", "info@h.example", { files: { "/home/alias/.qmail-info": FILE } }, "deliverable"],
  ["nobody", "info@h.example", {}, "unknown"],
  ["a virtual address", "Sales@V.com", { ...ANN, virtuals: [virtual("ann", "sales")] }, "deliverable"],
  ["no virtual address", "info@v.com", { ...ANN, virtuals: [virtual("ann", "sales")] }, "unknown"],
  ["a virtual catch-all", "info@v.com", { ...ANN, virtuals: [virtual("ann", "")] }, "catch-all"],
  ["a virtual address of nobody", "sales@v.com", { virtuals: [virtual("ann", "sales")] }, "unknown"],
  [
    "a disabled virtual address",
    "sales@v.com",
    { ...ANN, virtuals: [virtual("ann", "sales", { isDisabled: true })] },
    "disabled",
  ],
  [
    "a disabled alias",
    "ann-x@h.example",
    { ...ANN, aliases: [alias("ann", "x", { isDisabled: true })] },
    "disabled",
  ],
  ["a virtual row without a user", "sales@v.com", { virtuals: [virtual("", "sales")] }, "trouble"],
  [
    "a blank alias row",
    "ann-x@h.example",
    { ...ANN, aliases: [alias("ann", "x", { aliasUsername: "", aliasHost: "" })] },
    "trouble",
  ],
  [
    "magic forwarding",
    "sales@v.com",
    {
      virtuals: [virtual("forward", "sales", { ext: "a@far.example" })],
      settings: { magicForwarding: true },
    },
    "deliverable",
  ],
  ["a host that is excluded", "ann@not.v.com", ANN, "unverifiable"],
  ["a host for another host", "ann@mx.backup.example", ANN, "unverifiable"],
  ["a host in the cdb", "ann@more.example", ANN, "unverifiable"],
  ["another host", "ann@far.example", ANN, "not-ours"],
  ["no local part", "@h.example", ANN, "unknown"],
  ["nothing", "", ANN, "unknown"],
  ["postmaster without a host", "POSTMASTER", {}, "deliverable"],
  ["postmaster with one", "postmaster@h.example", {}, "unknown"],
])("%s: %s", async (_, address, given, expected) => {
  expect(await verdict(address, given)).toBe(expected);
});

test("a client that may relay is not checked", async () => {
  expect(await verdict("nobody@h.example", {}, true)).toBe("unverifiable");
  expect(await verdict("nobody@far.example", {}, true)).toBe("unverifiable");
});

test("an error of a lookup is trouble, with its reason in one line", async () => {
  const ports = world(ANN);
  const failing = async () => {
    throw new Trouble("unable to ask\nthe database");
  };
  for (const port of ["findMailboxes", "findAliases", "findSystemAccounts"] as const) {
    const address = port === "findSystemAccounts" ? "x@h.example" : "ann@h.example";
    expect(await checkRecipient({ address, mayRelay: false }, { ...ports, [port]: failing })).toEqual({
      verdict: "trouble",
      by: expect.stringContaining("unable to ask"),
    });
  }
  const controls = () => {
    throw new Trouble("unable to read control/me");
  };
  expect(await checkRecipient({ address: "x@h.example", mayRelay: false }, { ...ports, controls })).toEqual({
    verdict: "trouble",
    by: "unable to read control/me",
  });
});
