import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./mariadb.ts";
import { talk } from "./server.ts";

/** A running Postfix that receives mail on a port of 127.0.0.1. */
export interface Postfix {
  readonly port: number;
  log(): string;
  /** Resolves when the log has this. */
  logged(text: RegExp): Promise<void>;
  stop(): Promise<void>;
}

const SERVICES = `cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
`;

const QUEUE = "active bounce corrupt defer deferred flush hold incoming private public saved trace";
const UID = 64041; // of accounts of this mount namespace only

/** Starts that of an unpacked Debian package; `settings` are added to main.cf. */
export async function startPostfix(
  unpacked: string,
  settings: Readonly<Record<string, string>>,
): Promise<Postfix> {
  const dir = mkdtempSync(join(tmpdir(), "postfix-"));
  chmodSync(dir, 0o755);
  const port = await freePort();
  const file = (name: string) => join(dir, name);
  const main: Record<string, string> = {
    compatibility_level: "3.6",
    queue_directory: file("spool"),
    data_directory: file("data"),
    daemon_directory: file("package/usr/lib/postfix/sbin"),
    command_directory: file("package/usr/sbin"),
    shlib_directory: "no",
    mail_owner: "postfix",
    setgid_group: "postdrop",
    import_environment: "MAIL_CONFIG LD_LIBRARY_PATH PATH",
    maillog_file_prefixes: dir,
    maillog_file: file("log"),
    myhostname: "client.example",
    mydestination: "",
    inet_interfaces: "127.0.0.1",
    inet_protocols: "ipv4",
    alias_maps: "",
    alias_database: "",
    smtp_host_lookup: "native",
    ...settings,
  };
  mkdirSync(file("conf"));
  const lines = Object.entries(main).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(file("conf/main.cf"), lines.join(""));
  writeFileSync(file("conf/master.cf"), `127.0.0.1:${port} inet n - n - - smtpd\n${SERVICES}`);
  const inside = `set -e; cd ${dir}; cp -a ${unpacked} package
    for name in passwd group; do cp /etc/$name $name; done
    echo 'postfix:x:${UID}:${UID}::/:/bin/false' >>passwd
    printf 'postfix:x:${UID}:\\npostdrop:x:${UID + 1}:\\n' >>group
    for name in passwd group; do mount --bind $name /etc/$name; done
    mkdir spool data; cd spool; mkdir ${QUEUE} maildrop pid; chown ${UID} ${QUEUE} maildrop ../data
    export LD_LIBRARY_PATH=${dir}/package/usr/lib/postfix
    exec ${dir}/package/usr/lib/postfix/sbin/master -d -c ${dir}/conf`;
  const child = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", inside], {
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const log = () => {
    try {
      return readFileSync(file("log"), "latin1");
    } catch {
      return "";
    }
  };
  const until = async (isSo: () => boolean | Promise<boolean>, what: string) => {
    for (let tries = 0; tries < 300; tries++) {
      if (await isSo()) return;
      await sleep(100);
    }
    throw new Error(`Postfix: no ${what}\n${log()}`);
  };
  const greets = () =>
    talk(port, { input: "QUIT\r\n" })
      .then((text) => text.startsWith("220 "))
      .catch(() => false);
  await until(greets, "greeting");
  return {
    port,
    log,
    logged: (text) => until(() => text.test(log()), String(text)),
    async stop() {
      child.kill();
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
