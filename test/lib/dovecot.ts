import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./mariadb.ts";
import { BIN } from "./program.ts";
import type { World } from "./world.ts";

export interface Dovecot {
  readonly port: number;
  log(): string;
  stop(): Promise<void>;
}

/** A Dovecot whose only user is joe, password "secret", with qmail-pop3d-helper as its post-login script. */
export async function startDovecot(world: World, uid: number, home: string): Promise<Dovecot> {
  const dir = mkdtempSync(join(tmpdir(), "dovecot-"));
  chmodSync(dir, 0o755);
  const port = await freePort();
  const script = join(dir, "post-login");
  // script-login passes on only its own variables.
  writeFileSync(script, `#!/bin/sh\nQMAIL_HOME=${world.home} exec ${BIN}/qmail-pop3d-helper "$@"\n`, {
    mode: 0o755,
  });
  writeFileSync(
    join(dir, "conf"),
    `base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/log
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${uid} gid=${uid} home=${home}
}
service pop3-login {
  inet_listener pop3 {
    port = ${port}
  }
  inet_listener pop3s {
    port = 0
  }
}
service pop3 {
  executable = pop3 pop3-postlogin
}
service pop3-postlogin {
  executable = script-login ${script}
  vsz_limit = 0
  unix_listener pop3-postlogin {
  }
}
`,
  );
  const server: ChildProcess = spawn("/usr/sbin/dovecot", ["-F", "-c", join(dir, "conf")], {
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 200 || server.exitCode !== null) throw new Error(`dovecot does not answer: ${log(dir)}`);
    await sleep(50);
  }
  return {
    port,
    log: () => log(dir),
    async stop() {
      server.kill("SIGTERM");
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function log(dir: string): string {
  try {
    return readFileSync(join(dir, "log"), "latin1");
  } catch {
    return "";
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => resolve(false));
    socket.on("data", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
