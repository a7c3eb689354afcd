import { readdirSync } from "node:fs";
import { Held } from "@qmail-mysql/accounts";
import { ControlError } from "@qmail-mysql/control";
import { type RoutePorts, route } from "@qmail-mysql/delivery";
import { openDescriptors } from "@qmail-mysql/native";
import { Die, Trouble } from "@qmail-mysql/trouble";
import { describe, expect, test } from "vitest";
import { commandReader, encodeNumber } from "./command.ts";
import { WorkerStarter } from "./edge/start.ts";
import type { Listener } from "./edge/worker-process.ts";
import { lookupFailure, report } from "./report.ts";
import { parseSettings } from "./settings.ts";
import { decodeTask, encodeTask, PACKET_LIMIT } from "./task.ts";

describe("commandReader", () => {
  const one = { delnum: 7, messid: "1/2", sender: "s@x", recipient: "r\xff@y", tooLong: false };
  const bytes = "\x071/2\0s@x\0r\xff@y\0";

  test.each([1, 2, 3, 100])("takes commands in pieces of %d bytes", (size) => {
    const read = commandReader(1);
    const stream = bytes.repeat(3);
    const got = [];
    for (let at = 0; at < stream.length; at += size) got.push(...read(stream.slice(at, at + size)));
    expect(got).toEqual([one, one, one]);
  });

  test("takes a NUL for a number", () =>
    expect(commandReader(1)("\x001/2\0\0r@y\0")).toMatchObject([{ delnum: 0, sender: "" }]));

  test("takes two bytes, the low one first", () => {
    expect(commandReader(2)(`${encodeNumber(300, 2)}1/2\0\0r@y\0`)).toMatchObject([{ delnum: 300 }]);
    expect(encodeNumber(300, 2)).toBe("\x2c\x01");
  });

  test("holds no field of more than a megabyte, and goes on after it", () => {
    const read = commandReader(1);
    const piece = "x".repeat(1 << 19);
    const got = [
      ...read("\x07"),
      ...read(piece),
      ...read(piece),
      ...read(piece),
      ...read(`\0\0r@y\0${bytes}`),
    ];
    expect(got.map(({ tooLong }) => tooLong)).toEqual([true, false]);
  });
});

test("a route is that of the address's own host, where two virtual hosts might be meant", async () => {
  const users: Record<string, string> = { "a.com": "anna", "a.com-b.com": "ben" };
  const asked: string[][] = [];
  const ports: RoutePorts = {
    inCdb: () => undefined,
    findMailboxes: async ([name = ""]) => [
      { username: name, uid: 1000, gid: 100, home: "/h", suspended: false },
    ],
    findSystemAccounts: async () => [],
    findVirtual: async (_, host) => [
      { username: users[host] ?? "", ext: "@", virtualUsername: "", virtualHost: host },
    ],
    findVirtualHosts: async (hosts) =>
      hosts.filter((host) => users[host]).map((host) => ({ host, exact: true })),
    findAliases: async (user, aliases) => {
      asked.push([user, ...aliases]);
      return [];
    },
    homeOwner: () => ({ uid: 1000 }),
    warn: () => {},
    settings: {
      breakChar: "-",
      aliasUser: "alias",
      homeMismatch: "alias",
      suspendedMail: "deliver",
      funkyQueries: false,
      magicForwarding: false,
    },
  };
  const user = async (host: string) => {
    const found = await route("a.com-b.com-x", host, ports);
    return typeof found === "number" ? found : found.control.user;
  };
  expect(await user("a.com")).toBe("anna-@");
  expect(await user("A.com-B.com")).toBe("ben-@");
  expect(asked.map(([name]) => name)).toEqual(["anna-@", "ben-@"]);
});

describe("report", () => {
  test.each([
    ["done\0rest", "Kdone"],
    ["x".repeat(3000), `K${"x".repeat(3000)}`],
    ["x".repeat(3001), `K${"x".repeat(2966)}\nError report too long, sorry.\n`],
  ])("%#", (output, text) => expect(report({ status: 0 }, output)).toBe(text));
});

describe("a lookup's failure", () => {
  test.each<[unknown, string]>([
    [new Trouble("unable to x\n\xff"), "ZTemporary failure in qmail-lspawn.\nunable to x ?\n"],
    [new Die(117, "unable to open users/cdb"), "ZTrouble reading users/cdb in qmail-lspawn.\n"],
    [
      new Trouble("unable to connect: Access denied for user 'qmail'@'localhost' (using password: YES)"),
      "ZTemporary failure in qmail-lspawn.\nunable to connect: Access denied for user the login (using password: YES)\n",
    ],
    [new Held("suspended", true), "Dsuspended. (#5.2.1)\n"],
    [new Trouble("x".repeat(9999)), `ZTemporary failure in qmail-lspawn.\n${"x".repeat(500)}\n`],
  ])("%#", (error, text) => expect(lookupFailure(error)).toBe(text));
});

test("a worker that gets no pipe leaves no descriptor", () => {
  const descriptors = openDescriptors();
  const open = () => readdirSync("/proc/self/fd").length;
  const pipe = () => {
    throw new Trouble("unable to create a pipe");
  };
  const before = open();
  expect(() => new WorkerStarter({ ...descriptors, pipe }, {} as Listener).start()).toThrow(
    "unable to create a pipe",
  );
  expect(open()).toBe(before);
});

describe("a task", () => {
  const order = {
    user: "u",
    home: "/h",
    local: "l\xff",
    dash: "-",
    ext: "",
    host: "h",
    sender: "",
    defaultDelivery: "./Maildir/",
  };
  const row = { username: "u", alias: "@", aliasUsername: ".", aliasHost: "/x/", position: "2" };
  const task = { uid: 1, gid: 2, order, magicForwarding: true, aliases: [row, { ...row, aliasHost: "" }] };

  test("goes to the worker as it is", () => expect(decodeTask(encodeTask(task) ?? "")).toEqual(task));
  test("without rows is one without rows", () =>
    expect(decodeTask(encodeTask({ ...task, aliases: [] }) ?? "").aliases).toEqual([]));
  test("leaves rows to qmail-local that are too many, or hold a NUL", () => {
    const many = { ...task, aliases: Array(10_000).fill(row) };
    expect(decodeTask(encodeTask(many) ?? "").aliases).toBeUndefined();
    const broken = { ...task, aliases: [{ ...row, aliasHost: "a\0b" }] };
    expect(decodeTask(encodeTask(broken) ?? "").aliases).toBeUndefined();
  });
  test("is none when it fits no packet", () =>
    expect(encodeTask({ ...task, order: { ...order, sender: "x".repeat(PACKET_LIMIT) } })).toBeUndefined());
});

describe("settings", () => {
  test("have their defaults", () =>
    expect(parseSettings("", "f", 2 ** 40)).toEqual({
      spawn: 120,
      delnumBytes: 1,
      workers: 120,
      spares: 2,
      idle: 60,
    }));
  test.each([
    ["", 1 << 30, 42],
    ["", 4 * 2 ** 30, 120],
    ["", 1, 1],
    ["workers 500", 1 << 30, 500],
  ])("%j, with %d bytes of memory, is so many workers: %d", (text, memory, workers) =>
    expect(parseSettings(text, "f", memory).workers).toBe(workers),
  );
  test.each([
    ["spawn 256", "f: spawn: expected a number from 1 to 255"],
    ["spawn 0", "f: spawn: expected a number from 1 to 255"],
    ["delnum_bytes 3", "f: delnum_bytes: expected 1 or 2"],
    ["idle soon", "f line 1: idle: expected a number"],
    ["other 1", "f line 1: unknown key"],
    ["workers 0", "f: workers: expected a number from 1"],
  ])("%s: %s", (text, message) => {
    expect(() => parseSettings(text, "f", 2 ** 40)).toThrow(new ControlError(message));
  });
});
