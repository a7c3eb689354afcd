import { describe, expect, test } from "vitest";
import {
  aliasInstruction,
  candidates,
  deliveredTo,
  deliveryEnvironment,
  headerHolds,
  instructions,
  mboxFrom,
  mboxQuoted,
  newSender,
  returnPath,
} from "./index.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");

/** The same bytes in pieces of every size: the result must not depend on where a piece ends. */
function* pieces(text: string): Generator<Buffer[]> {
  for (let size = 1; size <= text.length + 1; size++) {
    yield Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
      bytes(text).subarray(i * size, (i + 1) * size),
    );
  }
}

test.each([
  // observed behaviour of stock qmail-local
  ["-", "foo-bar", [".qmail-foo-bar", ".qmail-foo-default:bar", ".qmail-default:foo-bar"]],
  ["-", "foo-", [".qmail-foo-", ".qmail-foo-default:", ".qmail-default:foo-"]],
  ["", "", [".qmail", ".qmaildefault:"]],
  ["-", "A.b-C", [".qmail-a:b-c", ".qmail-a:b-default:C", ".qmail-default:A.b-C"]],
  ["-", "MyDefault", [".qmail-mydefault:Default", ".qmail-default:MyDefault"]],
  ["-", "../x", [".qmail-::/x", ".qmail-default:../x"]],
])("the files tried for %j %j", (dash, ext, expected) => {
  const found = [...candidates(dash, ext)].map(
    ({ file, defaultPart }) => `${file}${defaultPart === undefined ? "" : `:${defaultPart}`}`,
  );
  expect(found).toEqual(expected);
});

test.each([
  [[], "s@h", "s@h"],
  [[".qmail-l-owner"], "s@h", "L-owner@x.org"],
  [[".qmail-l-owner", ".qmail-l-owner-default"], "s@h", "L-owner-@x.org-@[]"],
  [[".qmail-l-owner-default"], "s@h", "s@h"],
  [[".qmail-l-owner"], "", ""],
  [[".qmail-l-owner"], "#@[]", "#@[]"],
])("with %j a list from <%s> is forwarded by <%s>", (files, sender, expected) => {
  const address = { local: "L", host: "x.org", dash: "-", ext: "L", sender };
  expect(newSender(address, (file) => files.includes(file))).toBe(expected);
});

test("DTLINE, RPLINE and UFLINE hold one line, quoted", () => {
  expect(deliveredTo("a\nb", "h")).toBe("Delivered-To: a_b@h\n");
  const rows = [
    ["", "<>"],
    ["a@b", "<a@b>"],
    ["a b@c", '<"a b"@c>'],
    ['a"\\b@c', '<"a\\"\\\\b"@c>'],
    [".a@b", '<".a"@b>'],
    ["a..b@c", '<"a..b"@c>'],
    ["@b", '<""@b>'],
    ["a@b@c", '<"a@b"@c>'],
    ["\xe9@b", '<"\xe9"@b>'],
    ["box", "<box>"],
  ] as const;
  for (const [sender, expected] of rows) expect(returnPath(sender)).toBe(`Return-Path: ${expected}\n`);
  const friday = new Date("2026-11-06T01:02:03Z");
  expect(mboxFrom("", friday)).toBe("From MAILER-DAEMON Fri Nov 06 01:02:03 2026\n");
  expect(mboxFrom("a b\tc\n@d", friday)).toBe("From a-b-c-@d Fri Nov 06 01:02:03 2026\n");
});

test.each([
  ["localhost", "", ["", "", "", "localhost", "localhost", "localhost"]],
  ["a.b.c.d", "a-b-c-d", ["b-c-d", "c-d", "d", "a.b.c", "a.b", "a"]],
  ["a.b", "x", ["", "", "", "a", "a", "a"]],
])("EXT2..4 and HOST2..4 of %s %s", (host, ext, expected) => {
  const env = deliveryEnvironment({
    user: "u",
    home: "/h",
    local: "l",
    host,
    dash: "-",
    ext,
    sender: "",
    newSender: "",
    defaultPart: undefined,
    now: new Date(0),
  });
  expect([env.EXT2, env.EXT3, env.EXT4, env.HOST2, env.HOST3, env.HOST4]).toEqual(expected);
  expect("DEFAULT" in env).toBe(false);
});

describe("the lines of a .qmail file", () => {
  const parsed = (text: string, forwardOnly = false) =>
    [...instructions(text, forwardOnly)].map((one) => Object.values(one).join(" "));
  test.each([
    ["./Maildir/ \t\n", ["maildir ./Maildir/"]],
    ["# x\n\n./a b\n/m\n", ["mbox ./a b", "mbox /m"]],
    ["| x  ", ["program  x"]],
    ["& a@b\n x@y\n&", ["forward  a@b", "forward  x@y", "forward "]],
    [" \n", ["refuse Uh-oh: first line of .qmail file is blank. (#4.2.1)"]],
    [
      "a@b\n+list\n./x",
      ["forward a@b", "refuse Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)"],
    ],
    ["+lists\n|x", ["program x"]],
  ])("%j", (text, expected) => {
    expect(parsed(text)).toEqual(expected);
  });
  test("the x bit leaves only forwarding", () => {
    expect(parsed("a@b\n|x\n", true)).toEqual([
      "forward a@b",
      "refuse Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)",
    ]);
  });
});

describe("headerHolds() sees exactly the header's lines, however it is read", () => {
  const mark = "Delivered-To: a@b\n";
  test.each([
    [`${mark}\n`, true],
    [`X: y\n${mark}`, true],
    [`X: y\n\n${mark}`, false],
    ["X: y\nDelivered-To: a@b", false],
    ["Delivered-To: a@b\r\n\n", false],
    ["Delivered-To: a@B\n\n", false],
    [`X: y\r\n\r\n${mark}`, true],
    [`X${mark}`, false],
    [`${mark.trim()}x\n`, false],
    ["", false],
  ])("%j: %s", (text, expected) => {
    for (const given of pieces(text)) expect(headerHolds(given, mark)).toBe(expected);
  });
});

test.each([
  // observed behaviour of stock qmail-local
  ["", "\n"],
  ["a", "a\n\n"],
  ["From x\n", ">From x\n\n"],
  [">From x\n", ">>From x\n\n"],
  ["> From x\n", "> From x\n\n"],
  ["From\n", "From\n\n"],
  ["aFrom x\n>>From y\nFrom", "aFrom x\n>>>From y\nFrom\n\n"],
  ["\nFrom \n\nFrom \n", "\n>From \n\n>From \n\n"],
])("mboxQuoted(%j)", (text, expected) => {
  for (const given of pieces(text)) expect([...mboxQuoted(given)].join("")).toBe(expected);
});

describe("a row of the alias table", () => {
  const row = (aliasUsername: string, aliasHost: string) => ({
    username: "iain",
    alias: "x",
    aliasUsername,
    aliasHost,
  });
  test.each([
    // the rows in the FAQ of qmail/MySQL
    [".", "/Maildir/", { kind: "maildir", name: "./Maildir/" }],
    ["/", "home/iain/Mailbox", { kind: "mbox", name: "/home/iain/Mailbox" }],
    ["|", "cmd arg", { kind: "program", command: "cmd arg" }],
    ["address", "external.com", { kind: "forward", address: "address@external.com" }],
    ["local", "", { kind: "forward", address: "local" }],
    // followed by more, these characters begin an address
    ["|x", "h.org", { kind: "forward", address: "|x@h.org" }],
    ["#x", "h.org", { kind: "forward", address: "#x@h.org" }],
    [".", "/Maildir/ ", { kind: "maildir", name: "./Maildir/" }],
  ])("('%s', '%s')", (left, right, expected) => {
    expect(aliasInstruction(row(left, right))).toEqual(expected);
  });
  test.each([
    ["", ""],
    ["", "external.com"],
    ["|", ""],
    [".", ""],
    ["/", " "],
    ["./Maildir/", ""],
    ["|cmd", ""],
    ["a\nb", "c"],
  ])("('%s', '%s') would lose mail: it is named instead", (left, right) => {
    expect(() => aliasInstruction(row(left, right))).toThrow(
      `MySQL misconfiguration: alias row ('iain', 'x', '${left.replace("\n", "_")}', '${right}')`,
    );
  });
});
