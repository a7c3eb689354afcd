import type { LookUp } from "@qmail-mysql/dns";
import { Trouble } from "@qmail-mysql/trouble";
import { expect, test } from "vitest";
import { checkBlocklists } from "./check.ts";
import { openBlockedSession } from "./session.ts";
import { parseBlocklists } from "./settings.ts";

const CLIENT = { ip: "192.0.2.1", rblsmtpd: undefined };
const settings = (options: string) => {
  const parsed = parseBlocklists(options.split(" ").filter((word) => word !== ""));
  if (!parsed) throw new Error("invalid");
  return parsed;
};

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
  ["-b -r txt.example", "553 listed here"],
  ["-b -B -r txt.example", "451 listed here"],
  ["-r a.example", undefined],
  ["-r other.example -r txt.example", "451 listed here"],
  ["-a good.example -r txt.example", undefined],
  ["-r txt.example -a good.example", "451 listed here"],
  ["-a a.other -r txt.example", "451 listed here"],
  ["-r x.away", undefined],
  ["-c -r x.away", "451 temporary RBL lookup error"],
  ["-b -r x.away -r txt.example", "451 listed here"],
  ["-a x.away -r txt.example", undefined],
  ["-c -a x.away -b -r txt.example", "451 listed here"],
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
  const lists = settings("-c -r x.away");
  expect((await checkBlocklists({ ...CLIENT, rblsmtpd }, lists, LISTED))?.reply).toBe(reply);
});

test("an IPv6 address by its nibbles, and no lookup for what is no address", async () => {
  const lists = settings("-r txt.example");
  const check = (ip: string) => checkBlocklists({ ...CLIENT, ip }, lists, LISTED);
  expect((await check("2001:db8::1"))?.reply).toBe("451 six?");
  expect(await check("")).toBeUndefined();
});

test.each(["r zone", "-x", "-r", "-b -t x", "-bt", "-b x", "-", "-bx", "-a ../x", "-r zone:text"])(
  "%j is invalid",
  (options) => {
    expect(parseBlocklists(options.split(" "))).toBeUndefined();
  },
);

// getopt(3)
test.each(["-bc -r x.example -t 9", "-bcrx.example -t9", "-b -c -rx.example -t 9"])("%j", (options) => {
  expect(settings(options)).toEqual({
    lists: [{ refuses: true, zone: "x.example", bounces: true, failsClosed: true }],
    timeout: 9,
  });
});

test("with -t 0 the reply is all", () => {
  expect(openBlockedSession({ reply: "553 no", timeout: 0 })).toMatchObject({
    greeting: "553 no\r\n",
    isOver: true,
  });
});
