import { expect, test } from "vitest";
import { memoryPorts, smtpSettings } from "../../../test/lib/smtp-ports.ts";
import { drive, environmentOf, newSession, serve } from "./index.ts";

const SETTINGS = smtpSettings({
  localIpHost: "mx.example",
  rcptHosts: new Set(["ours.example", ".sub.example"]),
  isInMoreRcptHosts: (key) => key === "more.example",
  badMailFrom: new Set(["bad@x.example", "@evil.example"]),
  isLocalIp: ([first]) => first === 127,
});

/** Serves a client that sends `pieces`; the replies, the exit code, and what was queued. */
function serveAll(pieces: readonly string[], environment: readonly string[] = []) {
  const { ports, replies, queued } = memoryPorts(pieces);
  const session = newSession({ settings: SETTINGS, ports, environment: environmentOf(environment) });
  return { code: drive(serve(session)), replies: replies(), queued };
}

const CLIENT = ["TCPREMOTEIP=192.0.2.1", "TCPREMOTEHOST=c.example", "TCPLOCALHOST=mx.example"];

test("a message", () => {
  const got = serveAll(
    [
      "EHLO me\r\nMAIL FROM:<a@b>\r\nRC",
      "PT TO:<joe@ours.example>\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.\r\nQUIT\r\n",
    ],
    CLIENT,
  );
  expect(got.replies).toEqual([
    "220 mx.example ESMTP",
    "250-mx.example",
    "250-PIPELINING",
    "250 8BITMIME",
    "250 ok",
    "250 ok",
    "354 go ahead",
    "250 ok 1500000000 qp 1",
    "221 mx.example",
  ]);
  expect(got.code).toBe(0);
  expect(got.queued).toEqual([
    "Fa@b|Tjoe@ours.example||Received: from c.example (HELO me) (192.0.2.1)\n" +
      "  by mx.example with SMTP; 14 Jul 2017 02:40:00 -0000\nSubject: x\n\n.\n",
  ]);
});

test.each<[string, string[], string[]]>([
  [
    "a recipient that is not ours",
    ["MAIL FROM:<>", "RCPT TO:<a@other.example>"],
    ["250 ok", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"],
  ],
  ["morercpthosts.cdb", ["MAIL FROM:<>", "RCPT TO:<a@More.Example>"], ["250 ok", "250 ok"]],
  [
    "a bad sender",
    ["MAIL FROM:<x@Evil.example>", "RCPT TO:<a@ours.example>"],
    ["250 ok", "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)"],
  ],
  ["no MAIL", ["RCPT TO:<a@ours.example>", "DATA"], ["503 MAIL first (#5.5.1)", "503 MAIL first (#5.5.1)"]],
  ["no RCPT", ["MAIL", "DATA"], ["250 ok", "503 RCPT first (#5.5.1)"]],
  [
    "a bare RCPT",
    ["MAIL FROM:<>", "RCPT", "RCPT a@ours.example"],
    ["250 ok", "555 syntax error (#5.5.4)", "555 syntax error (#5.5.4)"],
  ],
  [
    "unknown verbs",
    ["", " NOOP", "EXPN x", "constructor", "rset\tx", "NOOP\r"],
    Array(6).fill("502 unimplemented (#5.5.1)"),
  ],
])("%s", (_, lines, replies) => {
  const got = serveAll([`${lines.join("\r\n")}\r\n`]);
  expect(got).toEqual({ code: 1, replies: ["220 mx.example ESMTP", ...replies], queued: [] });
});

test("a message with an LF without CR ends the session", () => {
  const got = serveAll(["MAIL FROM:<>\r\nRCPT TO:<a@ours.example>\r\nDATA\r\na\n.\r\n"]);
  expect(got.replies.at(-1)).toBe("451 See https://cr.yp.to/docs/smtplf.html.");
  expect([got.code, got.queued]).toEqual([1, []]);
});

test("RELAYCLIENT and DATABYTES are those of the session", () => {
  const got = serveAll(
    ["MAIL FROM:<>\r\nRCPT TO:<a@other.example>\r\nDATA\r\n12345\r\n.\r\n"],
    ["RELAYCLIENT=@fix", "DATABYTES=5x"],
  );
  expect(got.replies.at(-1)).toBe("552 sorry, that message size exceeds my databytes limit (#5.3.4)");
});
