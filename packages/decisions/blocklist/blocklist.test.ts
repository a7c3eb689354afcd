import type { LookUp } from "@qmail-mysql/dns";
import { Trouble } from "@qmail-mysql/trouble";
import { expect, test } from "vitest";
import { checkBlocklists } from "./check.ts";
import { openBlockedSession } from "./session.ts";
import { parseBlocklists } from "./settings.ts";

const CLIENT = { ip: "192.0.2.1", rblsmtpd: undefined };
const settings = (text: string) => parseBlocklists(text, "dnsbl");

/** `TXT name` or `A name` to its records; a lookup of a zone named in `away` is trouble. */
const dns =
  (records: Record<string, readonly unknown[]>): LookUp =>
  async (name, type) => {
    if (name.endsWith(".away")) throw new Trouble("no response");
    return (records[`${type} ${name}`] ?? []) as never;
  };
const LISTED = dns({
  "TXT 1.2.0.192.txt.example": [["listed ", "here"]],
  "A 1.2.0.192.a.example": ["127.0.0.2"],
  "A 1.2.0.192.good.example": ["127.0.0.2"],
  "TXT 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.txt.example": [["six\n"]],
});

test.each([
  ["", undefined],
  ["-r txt.example", "451 listed here"],
  ["-b\n-r txt.example", "553 listed here"],
  ["-b\n-B\n-r txt.example", "451 listed here"],
  ["-r a.example", undefined],
  ["-r other.example\n-r txt.example", "451 listed here"],
  ["-a good.example\n-r txt.example", undefined],
  ["-r txt.example\n-a good.example", "451 listed here"],
  ["-a a.other\n-r txt.example", "451 listed here"],
  ["-r x.away", undefined],
  ["-c\n-r x.away", "451 temporary RBL lookup error"],
  ["-b\n-r x.away\n-r txt.example", "451 listed here"],
  ["-a x.away\n-r txt.example", undefined],
  ["-c\n-a x.away\n-b\n-r txt.example", "451 listed here"],
])("%j", async (text, reply) => {
  expect((await checkBlocklists(CLIENT, settings(text), LISTED))?.reply).toBe(reply);
});

test.each([
  ["", undefined],
  ["go away", "451 go away"],
  ["-go away", "553 go away"],
  ["-", "553 "],
  [`x\r\n\xff${"y".repeat(300)}`, `451 x???${"y".repeat(196)}`],
])("RBLSMTPD=%j decides without a lookup", async (rblsmtpd, reply) => {
  const lists = settings("-c\n-r x.away");
  expect((await checkBlocklists({ ...CLIENT, rblsmtpd }, lists, LISTED))?.reply).toBe(reply);
});

test("an IPv6 address by its nibbles, and no lookup for what is no address", async () => {
  const lists = settings("-r txt.example");
  const check = (ip: string) => checkBlocklists({ ...CLIENT, ip }, lists, LISTED);
  expect((await check("2001:db8::1"))?.reply).toBe("451 six?");
  expect(await check("")).toBeUndefined();
});

test.each(["r zone", "-x", "-r", "-r a b", "-t x", "-b -c", "-a ../x", "-r zone:text"])(
  "%j is an error with its line",
  (line) => {
    expect(() => settings(`# comment\n${line}\n`)).toThrow(/^dnsbl line 2: expected /);
  },
);

// rblsmtpd.c and commands.c of ucspi-tcp
test("a refused client gets 250 or the reply, up to QUIT", () => {
  const session = openBlockedSession({ reply: "451 no", timeout: 60 });
  expect(session.greeting).toBe("220 rblsmtpd.local\r\n");
  expect(session.receive("EHLO x\r\nmail from:<>\r\nRCPT TO:<a@b>\r\n\r\nno")).toEqual({
    replies: "250 rblsmtpd.local\r\n250 rblsmtpd.local\r\n451 no\r\n451 no\r\n",
    isOver: false,
  });
  expect(session.receive(`op\nrset\r\r\nmails x\n${"x".repeat(100_000)}`).replies).toBe(
    "250 rblsmtpd.local\r\n451 no\r\n451 no\r\n",
  );
  expect(session.receive("\r\nQuit\0 x\r\nnoop\r\n")).toEqual({
    replies: "451 no\r\n221 rblsmtpd.local\r\n",
    isOver: true,
  });
});

test("with -t 0 the reply is all", () => {
  expect(openBlockedSession({ reply: "553 no", timeout: 0 })).toMatchObject({
    greeting: "553 no\r\n",
    isOver: true,
  });
});
