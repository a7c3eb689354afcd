import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unpacked } from "../../test/lib/unpacked.ts";

// Other programs that receive mail. Root, in a mount namespace of its own: test/with-accounts.sh.

/** A running server for mail to anybody at mx.example. */
export interface MailServer {
  readonly port: number;
  stop(): Promise<void>;
}

const POSTFIX_PORT = 25_898;
const HARAKA_PORT = 25_899;

const PRIVATE = ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private"];
const POSTFIX_ID = 64_030;
const POSTDROP_ID = 64_031;

/**
 * Postfix of Debian, unpacked and not installed, with the transport that discards. Its queue is on a tmpfs, and it may
 * receive faster than it sends. Undefined if it cannot be fetched.
 */
export async function startPostfix(): Promise<MailServer | undefined> {
  const root = unpacked("postfix");
  if (root === undefined) return undefined;
  if (!existsSync("/usr/lib/postfix")) {
    const layers = `lowerdir=${join(root, "usr/lib")}:/usr/lib`;
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, "/usr/lib"]);
  }
  if (!readFileSync("/etc/passwd", "latin1").includes("\npostfix:")) {
    appendFileSync("/etc/passwd", `postfix:x:${POSTFIX_ID}:${POSTFIX_ID}::/nonexistent:/bin/false\n`);
    appendFileSync("/etc/group", `postfix:x:${POSTFIX_ID}:\npostdrop:x:${POSTDROP_ID}:\n`);
  }
  const dir = scratch("postfix");
  const [data, spool] = [join(dir, "data"), join(dir, "spool")];
  mkdirSync(data);
  mkdirSync(spool);
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=755", "none", spool]);
  for (const name of ["pid", "public", ...PRIVATE]) mkdirSync(join(spool, name), { mode: 0o700 });
  for (const name of ["public", ...PRIVATE]) chownSync(join(spool, name), POSTFIX_ID, POSTFIX_ID);
  chownSync(data, POSTFIX_ID, POSTFIX_ID);
  writeFileSync(
    join(dir, "main.cf"),
    `compatibility_level = 3.6
queue_directory = ${spool}
data_directory = ${data}
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
in_flow_delay = 0
myhostname = mx.example
mydestination =
alias_maps =
local_recipient_maps =
mynetworks =
relay_domains = mx.example
relay_transport = discard:
smtpd_relay_restrictions = reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
`,
  );
  writeFileSync(
    join(dir, "master.cf"),
    `127.0.0.1:${POSTFIX_PORT} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
`,
  );
  const master = run(dir, "/usr/lib/postfix/sbin/master", ["-d"], { MAIL_CONFIG: dir });
  return ready(master, dir, POSTFIX_PORT, () => execFileSync("umount", ["--lazy", spool]));
}

const HARAKA = "3.1.6";
// The newest that were in the registry when this was written.
const OVERRIDES = { "encoding-japanese": "2.2.0", libqp: "2.1.1" };

/**
 * Haraka from the registry, with a process for each processor as `account`. It queues with `queueProgram`; without one it
 * discards. Undefined if it cannot be fetched.
 */
export async function startHaraka(account: string, queueProgram?: string): Promise<MailServer | undefined> {
  const program = installHaraka();
  if (program === undefined) return undefined;
  const dir = scratch("haraka");
  const config = join(dir, "config");
  mkdirSync(config);
  const write = (name: string, text: string) => writeFileSync(join(config, name), `${text}\n`);
  copyFileSync(join(program, "config/connection.ini"), join(config, "connection.ini"));
  write("smtp.ini", `listen=127.0.0.1:${HARAKA_PORT}\nnodes=cpus\nuser=${account}\ngroup=nofiles`);
  write("log.ini", "[main]\nlevel=ERROR");
  write("me", "mx.example");
  write("host_list", "mx.example");
  write("plugins", `rcpt_to.in_host_list\nqueue/${queueProgram === undefined ? "discard" : "qmail-queue"}`);
  if (queueProgram !== undefined) write("qmail-queue.path", queueProgram);
  const env = { PATH: process.env.PATH ?? "", YES_REALLY_DO_DISCARD: "1" };
  const server = run(dir, "node", [join(program, "bin/haraka"), "-c", dir], env);
  return ready(server, dir, HARAKA_PORT);
}

function installHaraka(): string | undefined {
  const dir = join(import.meta.dirname, "../../build/bench/haraka");
  const program = join(dir, "node_modules/Haraka");
  if (existsSync(program)) return program;
  mkdirSync(dir, { recursive: true });
  const manifest = { private: true, dependencies: { Haraka: HARAKA }, overrides: OVERRIDES };
  writeFileSync(join(dir, "package.json"), JSON.stringify(manifest));
  const args = ["install", "--no-audit", "--no-fund", "--omit=optional", "--ignore-scripts"];
  try {
    execFileSync("npm", args, { cwd: dir, stdio: "ignore" });
    return program;
  } catch {
    return undefined;
  }
}

function scratch(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `${name}-`));
  chmodSync(dir, 0o755);
  return dir;
}

function run(dir: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const log = openSync(join(dir, "log"), "a");
  return spawn(program, args, { stdio: ["ignore", log, log], env, cwd: dir });
}

/** Waits until it accepts connections. */
async function ready(child: ChildProcess, dir: string, port: number, after = () => {}): Promise<MailServer> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    after();
    rmSync(dir, { recursive: true, force: true });
  };
  for (let tries = 0; !(await accepts(port)); tries++) {
    if (tries > 200 || child.exitCode !== null) {
      const log = readFileSync(join(dir, "log"), "latin1");
      await stop();
      throw new Error(`unable to start ${child.spawnfile}: ${log}`);
    }
    await sleep(50);
  }
  await sleep(1000); // its processes
  return { port, stop };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("data", () => done(true));
    socket.once("error", () => done(false));
    socket.setTimeout(2000, () => done(false));
  });
}
