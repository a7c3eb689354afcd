import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BIN } from "./program.ts";
import { compileRecorder } from "./smtp-pair.ts";
import { makeWorld, type World } from "./world.ts";

/** qmail-smtpd for ours.example behind a server that starts TLS when it is asked to: ucspi-tls(2). */
export interface RecordingServer {
  readonly world: World;
  readonly port: string;
  /** The file with the certificate of localhost. */
  readonly certificate: string;
  log(): string;
  /** What would have been queued, as text. */
  queued(): string;
  /** Forgets what was queued. */
  forget(): void;
  stop(): void;
}

/** Starts it, with all extensions; the password of joe is "secret". */
export async function recordingServer(): Promise<RecordingServer> {
  const world = makeWorld();
  const file = (name: string) => join(world.home, name);
  const [record, checker, certificate, key] = ["record", "bin/checker", "cert.pem", "key.pem"].map(file) as [
    string,
    string,
    string,
    string,
  ];
  writeFileSync(checker, `#!/bin/sh\ntr '\\0' ' ' <&3 | grep -q '^joe secret '\n`);
  chmodSync(checker, 0o755);
  world.control("me", "mx.example\n");
  world.control("rcpthosts", "ours.example\n");
  world.control(
    "smtpd",
    `size yes\nenhancedstatuscodes yes\nchunking yes\nauth plain login\nauth_program ${checker} true\nlog text\nxclient 127.0.0.1\n`,
  );
  const made =
    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
  execFileSync("openssl", [...made.split(" "), "-keyout", key, "-out", certificate], { stdio: "ignore" });
  const program = [join(import.meta.dirname, "ucspi-tls.py"), certificate, key, join(BIN, "qmail-smtpd")];
  const server = spawn("python3", program, {
    env: { ...world.env, PATH: process.env.PATH, QMAILQUEUE: compileRecorder(world.home), RECORD: record },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  server.stderr.on("data", (bytes) => {
    log += bytes;
  });
  const port = await new Promise<string>((resolve) =>
    server.stdout.once("data", (bytes) => resolve(String(bytes).trim())),
  );
  return {
    world,
    port,
    certificate,
    log: () => log,
    queued: () => (existsSync(record) ? readFileSync(record, "latin1").replaceAll("\0", "|") : ""),
    forget: () => rmSync(record, { force: true }),
    stop() {
      server.kill();
      world.remove();
    },
  };
}
