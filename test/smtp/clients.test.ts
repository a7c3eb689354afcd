import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Outcome, run } from "../lib/program.ts";
import { type RecordingServer, recordingServer } from "../lib/smtp-server.ts";
import { unpacked } from "../lib/unpacked.ts";

// Clients of Debian against the exec'd qmail-smtpd, which asks a TLS server for STARTTLS, and a checkpassword for AUTH.

const MESSAGE = "Subject: x\nFrom: joe@ours.example\nTo: ann@ours.example\n\n.a line\n..\nend\n";

let server: RecordingServer;
let port: string;
beforeAll(async () => {
  server = await recordingServer();
  ({ port } = server);
});
afterAll(() => server.stop());
beforeEach(() => server.forget());

const client = (program: string, args: readonly string[], input?: string): Promise<Outcome> =>
  run(program, args, {
    input,
    env: { PATH: process.env.PATH ?? "", HOME: server.world.home, SSL_CERT_FILE: server.certificate },
  });

const swaks = (...args: string[]) =>
  client("/usr/bin/swaks", [
    "--server",
    `127.0.0.1:${port}`,
    "--from",
    "joe@ours.example",
    "--to",
    "ann@ours.example",
    "--data",
    MESSAGE.replaceAll("\n", "\\n"),
    ...args,
  ]);

/** The envelope and the protocol of the message that was queued. */
function expectQueued(protocol: string, envelope = "Fjoe@ours.example|Tann@ours.example||"): void {
  const got = server.queued();
  expect(got).toContain(envelope);
  expect(got).toMatch(new RegExp(` with ${protocol}; `));
  expect(got).toContain("\n.a line\n..\nend\n");
}

describe("swaks", () => {
  test.each<[string, string[], string]>([
    ["plain", [], "SMTP"],
    ["pipelining", ["--pipeline"], "SMTP"],
    ["STARTTLS", ["-tls"], "ESMTPS"],
    [
      "AUTH PLAIN over TLS",
      ["-tls", "--auth", "PLAIN", "--auth-user", "joe", "--auth-password", "secret"],
      "ESMTPSA",
    ],
    [
      "AUTH LOGIN over TLS",
      ["-tls", "--auth", "LOGIN", "--auth-user", "joe", "--auth-password", "secret"],
      "ESMTPSA",
    ],
    ["XCLIENT", ["--xclient", "ADDR=192.0.2.9 NAME=c.example"], "SMTP"],
  ])("%s", async (_, args, protocol) => {
    const { code, stdout } = await swaks(...args);
    expect(code, stdout).toBe(0);
    expectQueued(protocol);
  });

  test.each<[string, string[], number, RegExp]>([
    [
      "a wrong password",
      ["-tls", "--auth", "PLAIN", "--auth-user", "joe", "--auth-password", "wrong"],
      28,
      /535 5\.7\.8/,
    ],
    [
      "AUTH in clear",
      ["--auth", "PLAIN", "--auth-user", "joe", "--auth-password", "secret"],
      28,
      /^(?![\s\S]*250-AUTH)/,
    ],
    ["another host", ["--to", "x@other.example"], 24, /553 5\.7\.1/],
  ])(
    "%s",
    async (_, args, code, reply) => {
      const got = await swaks(...args);
      expect([got.code, server.queued()]).toEqual([code, ""]);
      expect(got.stdout).toMatch(reply);
    },
    30_000,
  );

  test("no password is in the log", () => {
    const log = server.log();
    expect(log).toContain("verdict=accepted at=data");
    for (const password of [
      "secret",
      "wrong",
      Buffer.from("\0joe\0secret").toString("base64"),
      btoa("secret"),
    ]) {
      expect(log).not.toContain(password);
    }
  });
});

test("smtplib of Python: STARTTLS, login, SIZE", async () => {
  const script = `
import smtplib, ssl, sys
server = smtplib.SMTP("127.0.0.1", ${port})
server.starttls(context=ssl._create_unverified_context())
server.login("joe", "secret")
server.sendmail("joe@ours.example", ["ann@ours.example"], sys.stdin.read())
server.quit()`;
  const got = await client("/usr/bin/env", ["python3", "-c", script], MESSAGE);
  expect([got.code, got.stderr]).toEqual([0, ""]);
  expectQueued("ESMTPSA");
});

test("msmtp: STARTTLS, AUTH", async () => {
  const args = [
    "--host=127.0.0.1",
    `--port=${port}`,
    "--tls=on",
    "--tls-certcheck=off",
    "--auth=plain",
    "--user=joe",
    "--passwordeval=echo secret",
    "--from=joe@ours.example",
    "ann@ours.example",
  ];
  const got = await client("/usr/bin/msmtp", args, MESSAGE);
  expect([got.code, got.stderr]).toEqual([0, ""]);
  expectQueued("ESMTPSA");
});

test("s-nail: STARTTLS, AUTH LOGIN", async () => {
  const set = [
    `mta=smtp://joe:secret@127.0.0.1:${port}`,
    "smtp-use-starttls",
    "smtp-auth=login",
    "tls-verify=ignore",
    "from=joe@ours.example",
    "v15-compat",
  ];
  const got = await client(
    "/usr/bin/s-nail",
    ["-:/", ...set.map((each) => `-S${each}`), "-s", "x", "ann@ours.example"],
    ".a line\n..\nend\n",
  );
  expect([got.code, got.stderr]).toEqual([0, ""]);
  expectQueued("ESMTPSA");
});

test("curl: STARTTLS, AUTH", async () => {
  const args = [
    "-sS",
    "--ssl-reqd",
    "-k",
    "--url",
    `smtp://127.0.0.1:${port}/me.example`,
    "--user",
    "joe:secret",
    "--mail-from",
    "joe@ours.example",
    "--mail-rcpt",
    "ann@ours.example",
    "-T",
    "-",
  ];
  const got = await client("/usr/bin/curl", args, MESSAGE.replaceAll("\n", "\r\n"));
  expect([got.code, got.stderr]).toEqual([0, ""]);
  expectQueued("ESMTPSA");
});

test("openssl s_client: STARTTLS; what was sent before is not heard", async () => {
  const got = await client("/bin/sh", [
    "-c",
    `(sleep 1; printf 'EHLO x\\r\\nQUIT\\r\\n'; sleep 1) | openssl s_client -quiet -starttls smtp -connect 127.0.0.1:${port}`,
  ]);
  expect(got.stdout).toContain("250-PIPELINING");
  expect(got.stdout).not.toContain("STARTTLS");
  expect(got.stdout).toContain("AUTH PLAIN LOGIN");
});

const nodemailer = unpacked("node-nodemailer");
test.skipIf(!nodemailer)("nodemailer: STARTTLS, AUTH, a pool of connections", async () => {
  const script = `
    const mailer = require(${JSON.stringify(`${nodemailer}/usr/share/nodejs/nodemailer`)});
    const auth = { user: "joe", pass: "secret" };
    const options = { host: "localhost", port: ${port}, requireTLS: true, auth, pool: true, maxConnections: 1 };
    const transport = mailer.createTransport(options);
    const mail = { from: "joe@ours.example", to: "ann@ours.example", subject: "x", text: ".a line\\n..\\nend\\n" };
    Promise.all([mail, mail].map((each) => transport.sendMail(each))).then(
      (sent) => { console.log(sent.map(({ response }) => response.slice(0, 9)).join()); transport.close(); },
    );`;
  const got = await run("/usr/bin/env", ["node", "-e", script], {
    env: { PATH: process.env.PATH ?? "", NODE_EXTRA_CA_CERTS: server.certificate },
  });
  expect([got.stdout, got.stderr]).toEqual(["250 2.0.0,250 2.0.0\n", ""]);
  expectQueued("ESMTPSA");
  expect(server.queued().match(/Fjoe@ours\.example\|/g)).toHaveLength(2);
});
