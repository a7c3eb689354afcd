import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BIN, type Outcome, run } from "../lib/program.ts";
import { compileRecorder } from "../lib/smtp-pair.ts";
import { makeWorld, type World } from "../lib/world.ts";

// Clients of Debian against the exec'd qmail-smtpd, which asks a TLS server for STARTTLS, and a checkpassword for AUTH.

const MESSAGE = "Subject: x\nFrom: joe@ours.example\nTo: ann@ours.example\n\n.a line\n..\nend\n";

let world: World;
let record: string;
let port: string;
let server: ChildProcess;
let log = "";

beforeAll(async () => {
  world = makeWorld();
  const file = (name: string) => join(world.home, name);
  record = file("record");
  const checker = file("bin/checker");
  writeFileSync(checker, `#!/bin/sh\ntr '\\0' ' ' <&3 | grep -q '^joe secret '\n`);
  chmodSync(checker, 0o755);
  world.control("me", "mx.example\n");
  world.control("rcpthosts", "ours.example\n");
  world.control(
    "smtpd",
    `size yes\nenhancedstatuscodes yes\nchunking yes\nauth plain login\nauth_program ${checker} true\nlog text\nxclient 127.0.0.1\n`,
  );
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
      "-keyout",
      file("key.pem"),
      "-out",
      file("cert.pem"),
    ],
    { stdio: "ignore" },
  );
  server = spawn(
    "python3",
    [
      join(import.meta.dirname, "../lib/ucspi-tls.py"),
      file("cert.pem"),
      file("key.pem"),
      join(BIN, "qmail-smtpd"),
    ],
    {
      env: { ...world.env, PATH: process.env.PATH, QMAILQUEUE: compileRecorder(world.home), RECORD: record },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  server.stderr?.on("data", (bytes) => {
    log += bytes;
  });
  port = await new Promise((resolve) =>
    server.stdout?.once("data", (bytes) => resolve(String(bytes).trim())),
  );
});
afterAll(() => {
  server.kill();
  world.remove();
});
beforeEach(() => rmSync(record, { force: true }));

/** What reached the queue, as text. */
const queued = () => (existsSync(record) ? readFileSync(record, "latin1").replaceAll("\0", "|") : "");

const client = (program: string, args: readonly string[], input?: string): Promise<Outcome> =>
  run(program, args, {
    input,
    env: { PATH: process.env.PATH ?? "", HOME: world.home, SSL_CERT_FILE: join(world.home, "cert.pem") },
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
  const got = queued();
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
      expect([got.code, queued()]).toEqual([code, ""]);
      expect(got.stdout).toMatch(reply);
    },
    30_000,
  );

  test("no password is in the log", () => {
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
