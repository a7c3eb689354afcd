import { parseIp } from "@qmail-mysql/wire";
import { describe, expect, test } from "vitest";
import { type RelayAnswers, relayAnswers } from "./answers.ts";
import { loginAddress } from "./login.ts";
import { mayRelay } from "./may-relay.ts";
import { parseNetblock } from "./netblock.ts";
import { netblocks } from "./netblocks.ts";
import { relayClients } from "./relay-clients.ts";
import { openBlocks, type RelayRow, windowLeft } from "./row.ts";

const ip = (text: string) => parseIp(text) ?? [];
const contains = (block: string, address: string) => {
  const parsed = parseNetblock(block);
  return parsed && netblocks([{ ...parsed, until: Infinity }]).contains(ip(address), 0);
};

test.each([
  // a block, its first and last address, the addresses before and after it
  ["10.1.0.0/16", "10.1.0.0", "10.1.255.255", "10.0.255.255", "10.2.0.0"],
  ["10.1.2.3/16", "10.1.0.0", "10.1.255.255", "10.0.255.255", "10.2.0.0"],
  ["10.1.2.3/32", "10.1.2.3", "10.1.2.3", "10.1.2.2", "10.1.2.4"],
  ["10.1.2.2/31", "10.1.2.2", "10.1.2.3", "10.1.2.1", "10.1.2.4"],
  ["128.0.0.0/1", "128.0.0.0", "255.255.255.255", "127.255.255.255", "0.0.0.0"],
  ["10.1.2.64/26", "10.1.2.64", "10.1.2.127", "10.1.2.63", "10.1.2.128"],
  ["10.", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"],
  ["10", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"],
  ["10.1", "10.1.0.0", "10.1.255.255", "10.0.255.255", "10.10.0.0"],
  ["10.1.2.", "10.1.2.0", "10.1.2.255", "10.1.1.255", "10.1.20.0"],
  ["::ffff:10.1.0.0/112", "10.1.0.0", "10.1.255.255", "10.0.255.255", "10.2.0.0"],
  ["2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7::", "2001:db9::"],
  ["2001:db8:", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7::", "2001:db9::"],
  ["2001:", "2001::", "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::", "2002::"],
  ["1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:ffff", "1:2:3:4:5:6:6:ffff", "1:2:3:4:5:6:8:0"],
  ["2001:db8::8/125", "2001:db8::8", "2001:db8::f", "2001:db8::7", "2001:db8::10"],
])("%s is from %s to %s", (block, first, last, before, behind) => {
  expect([first, last, before, behind].map((each) => contains(block, each))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test.each(["0.0.0.0/0", "::/0"])("%s is everything of its version", (block) => {
  const isV6 = block.includes(":");
  expect(contains(block, "192.0.2.1")).toBe(!isV6);
  expect(contains(block, "2001:db8::1")).toBe(isV6);
});

test.each([
  "",
  ".",
  "10..",
  "10.1.2.3",
  "10.1.2.3.",
  "256.",
  "10.256.",
  "01.",
  "10.1.0.0/",
  "10.1.0.0/33",
  "10.1.0.0/-1",
  "10.1.0.0/08",
  "10.1/16",
  "10.1.0.0/16 ",
  "10.1.0.0/16/8",
  "/8",
  ":",
  "::",
  "2001:db8::",
  "g:",
  "12345:",
  "1:2:3:4:5:6:7:8:",
  "2001:db8::/129",
  "::ffff:10.0.0.0/8",
  "%",
  "10.%",
  "mail.example.com",
])("%j is no netblock", (text) => expect(parseNetblock(text)).toBeUndefined());

describe("the window", () => {
  const row = (client: string, time: number | undefined): RelayRow => ({ client, time, user: undefined });
  const left = (...rows: RelayRow[]) => windowLeft(ip("192.0.2.1"), { rows, now: 10_000 }, 1800);
  test.each([
    [10_000, 1800],
    [8201, 1],
    [8200, 0], // timestamp > now - time
    [1, 0],
    [-Infinity, 0],
    [20_000, 11_800],
    [undefined, Infinity],
  ])("a row of time %s at 10000 counts for %s more", (time, expected) => {
    expect(left(row("192.0.2.1", time))).toBe(expected);
  });
  test("of several rows the latest counts; those of other addresses do not", () => {
    expect(left(row("192.0.2.1", 8201), row("::ffff:192.0.2.1", 9000))).toBe(800);
    expect(left(row("192.0.2.2", 10_000))).toBe(0);
    expect(left()).toBe(0);
  });
  test("netblocks expire as addresses do", () => {
    const rows = [row("10.1.", undefined), row("10.2.", 8200), row("10.3.", 9000), row("192.0.2.1", 9000)];
    const open = openBlocks({ rows, now: 10_000 }, 1800);
    expect(open.map(({ left: seconds }) => seconds)).toEqual([Infinity, 800]);
  });
});

test("a relayclients file: qpsmtpd's own example, and invalid lines", () => {
  const text =
    '# Format is IP, or IP part with trailing dot\n# e.g. "127.0.0.1", or "192.168."\n127.0.0.1\n 192.168.0. # office\n\n2001:db8:\n10.0.0.0/8\r\nmail.example.com\n';
  const { clients, warnings } = relayClients(text, "relayclients");
  const asked = ["127.0.0.1", "127.0.0.2", "192.168.0.7", "192.168.1.7", "2001:db8::1", "10.255.255.255"];
  expect(asked.map((each) => clients.contains(ip(each), 0))).toEqual([true, false, true, false, true, true]);
  expect(warnings).toEqual(["relayclients line 8: expected an address, a prefix or net/bits"]);
});

describe("db/relay's decision", () => {
  const none = relayClients("", "");
  const table = (rows: readonly RelayRow[]): RelayAnswers => {
    const found = async () => ({ rows, now: 100 });
    return relayAnswers({ rowsOf: found, netblockRows: found }, 60);
  };
  const gone = () => Promise.reject(new Error("gone"));
  const broken: RelayAnswers = { left: gone, blocks: gone };
  const client = { ip: ip("192.0.2.1"), given: false };
  test("yes, no and trouble", async () => {
    const mine: RelayRow = { client: "192.0.2.1", time: 99, user: undefined };
    const block: RelayRow = { client: "192.0.2.0/24", time: undefined, user: undefined };
    expect(await mayRelay(client, none, table([mine]))).toBe(true);
    expect(await mayRelay(client, none, table([block]))).toBe(true);
    expect(await mayRelay(client, none, table([]))).toBe(false);
    await expect(mayRelay(client, none, broken)).rejects.toThrow("gone");
  });
  test("the table is not read if it cannot change the decision", async () => {
    expect(await mayRelay({ ...client, given: true }, none, broken)).toBe(true);
    expect(await mayRelay(client, relayClients("192.0.2.", ""), broken)).toBe(true);
    expect(await mayRelay({ ip: undefined, given: false }, relayClients("0.0.0.0/0", ""), broken)).toBe(
      false,
    );
  });
});

test.each([
  [{ TCPREMOTEIP: "192.0.2.1", IP: "192.0.2.2" }, [192, 0, 2, 1]],
  [{ IP: "::ffff:192.0.2.2" }, [192, 0, 2, 2]],
  [{ TCPREMOTEIP: "127.9.9.9" }, undefined],
  [{ TCPREMOTEIP: "", IP: "192.0.2.2" }, undefined],
  [{ REMOTE_HOST: "192.0.2.1" }, undefined],
])("%j logs in from %j", (env, expected) => {
  expect(loginAddress(env, ["127.", "::1"])).toEqual(expected);
});
