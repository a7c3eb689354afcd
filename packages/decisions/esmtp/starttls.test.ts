import { drive, environmentOf, newSession, serve } from "@qmail-mysql/smtp";
import { expect, test } from "vitest";
import { memoryPorts, smtpSettings } from "../../../test/lib/smtp-ports.ts";
import { starttls } from "./starttls.ts";

/** Serves a client that sends `plain`, and after the handshake `encrypted`. */
function serveBoth(plain: string[], encrypted: string[], env: string[] = [], fails = false) {
  const memory = memoryPorts(plain, {
    startTls(reply) {
      memory.show(`${reply}<TLS>\r\n`);
      memory.send(encrypted);
      return fails ? undefined : { protocol: "TLSv1.3", cipher: "C", serverName: "a.example" };
    },
  });
  const { ports, queued, environments } = memory;
  const settings = smtpSettings({ rcptHosts: undefined });
  const environment = environmentOf(env);
  const session = newSession({ settings, ports, environment, extensions: [starttls("yes")] });
  return { code: drive(serve(session)), replies: memory.replies(), queued, environments };
}

test("after STARTTLS the session begins anew, and the queue sees what was negotiated", () => {
  const { replies, queued, environments } = serveBoth(
    ["EHLO me\r\nMAIL FROM:<a@b>\r\nSTARTTLS\r\n"],
    [
      "RCPT TO:<c@d>\r\nEHLO you\r\nSTARTTLS\r\nMAIL FROM:<e@f>\r\nRCPT TO:<g@h>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
    ],
  );
  expect(replies).toEqual([
    "220 mx.example ESMTP",
    "250-mx.example",
    "250-PIPELINING",
    "250-STARTTLS",
    "250 8BITMIME",
    "250 ok",
    "220 ready for tls",
    "<TLS>",
    "503 MAIL first (#5.5.1)",
    "250-mx.example",
    "250-PIPELINING",
    "250 8BITMIME",
    "502 unimplemented (#5.5.1)",
    "250 ok",
    "250 ok",
    "354 go ahead",
    expect.stringMatching(/^250 ok \d+ qp 1$/),
    "221 mx.example",
  ]);
  expect(queued[0]).toContain("(HELO you)");
  expect(queued[0]).toContain(" with ESMTPS;");
  expect(queued[0]).toMatch(/^Fe@f\|Tg@h\|\|/);
  expect(environments[0]).toEqual(
    expect.arrayContaining(["SSL_PROTOCOL=TLSv1.3", "SSL_TLS_SNI_SERVERNAME=a.example"]),
  );
});

test("commands that came with STARTTLS are not executed: CVE-2011-0411", () => {
  const { replies } = serveBoth(
    ["EHLO me\r\nSTARTTLS\r\nMAIL FROM:<evil@b>\r\nRCPT TO:<c@d>\r\n"],
    ["NOOP\r\n"],
  );
  expect(replies.slice(replies.indexOf("<TLS>") + 1)).toEqual(["250 ok"]);
  const lone = serveBoth(["EHLO me\r\nSTARTTLS\r\nRSET\r\n"], []);
  expect(lone.replies.at(-1)).toBe("<TLS>");
});

test("STARTTLS with a parameter; a handshake that fails", () => {
  expect(serveBoth(["STARTTLS now\r\n"], []).replies[1]).toBe(
    "501 Syntax error (no parameters allowed) (#5.5.4)",
  );
  const failed = serveBoth(["STARTTLS\r\n"], ["QUIT\r\n"], [], true);
  expect(failed).toMatchObject({ code: 1, replies: ["220 mx.example ESMTP", "220 ready for tls", "<TLS>"] });
});

test("with SMTPS the greeting comes through TLS", () => {
  const { replies } = serveBoth([], ["QUIT\r\n"], ["SMTPS="]);
  expect(replies).toEqual(["<TLS>", "220 mx.example ESMTP", "221 mx.example"]);
});
