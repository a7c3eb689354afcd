import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../test/lib/mariadb.ts";

/** A daemon that verifies passwords. */
export interface Peer {
  readonly socket: string;
  stop(): Promise<void>;
}

/** The account of the database, and where it is. */
export interface Database {
  readonly socket: string;
  readonly user: string;
  readonly password: string;
  readonly name: string;
}

/** A Dovecot without protocols: only its auth process, on the mailbox table. */
export function startDovecotAuth(database: Database, cacheMegabytes: number): Promise<Peer> {
  const dir = scratch("dovecot");
  writeFileSync(
    join(dir, "sql"),
    `driver = mysql
connect = host=${database.socket} dbname=${database.name} user=${database.user} password=${database.password}
default_pass_scheme = PLAIN
password_query = SELECT username AS user, password, uid AS userdb_uid, gid AS userdb_gid, home AS userdb_home FROM mailbox WHERE username = '%u' AND suspended = 'N'
`,
  );
  const conf = join(dir, "conf");
  writeFileSync(
    conf,
    `base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/log
protocols =
ssl = no
auth_cache_size = ${cacheMegabytes}M
passdb {
  driver = sql
  args = ${dir}/sql
}
userdb {
  driver = prefetch
}
service auth {
  client_limit = 4096
}
`,
  );
  return ready(daemon(dir, "/usr/sbin/dovecot", "-F", "-c", conf), dir, join(dir, "run/auth-client"));
}

/**
 * A Dovecot that serves POP3, with the login processes of its high-performance mode, and with mail processes that serve
 * one session after another, which is possible for mailboxes of one uid.
 */
export async function startDovecotPop3(database: Database) {
  const dir = scratch("dovecot");
  const port = await freePort();
  writeFileSync(
    join(dir, "sql"),
    `driver = mysql
connect = host=${database.socket} dbname=${database.name} user=${database.user} password=${database.password}
default_pass_scheme = PLAIN
password_query = SELECT username AS user, password, uid AS userdb_uid, gid AS userdb_gid, home AS userdb_home FROM mailbox WHERE username = '%u' AND suspended = 'N'
`,
  );
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
mail_max_userip_connections = 0
first_valid_uid = 100
default_vsz_limit = 0
passdb {
  driver = sql
  args = ${dir}/sql
}
userdb {
  driver = prefetch
}
service pop3-login {
  service_count = 0
  process_min_avail = 2
  client_limit = 4096
  inet_listener pop3 {
    port = ${port}
  }
  inet_listener pop3s {
    port = 0
  }
}
service pop3 {
  service_count = 100
  process_limit = 4096
}
service auth {
  client_limit = 8192
}
service anvil {
  client_limit = 8192
}
`,
  );
  const child = daemon(dir, "/usr/sbin/dovecot", "-F", "-c", join(dir, "conf"));
  const { stop } = await ready(child, dir, join(dir, "run/auth-client"));
  return { port, pid: child.pid ?? 0, stop };
}

const COURIER = "/usr/lib/courier/courier-authlib/authdaemond";

/**
 * Courier's authdaemond. The paths of its files are compiled in: they are mounts of this process's own namespace,
 * which test/with-accounts.sh made.
 */
export function startAuthdaemond(database: Database): Promise<Peer> {
  const dir = scratch("courier");
  mkdirSync(join(dir, "etc"));
  mkdirSync(join(dir, "run/courier/authdaemon"), { recursive: true });
  // The package's own number of processes.
  writeFileSync(join(dir, "etc/authdaemonrc"), 'authmodulelist="authmysql"\ndaemons=5\n');
  writeFileSync(
    join(dir, "etc/authmysqlrc"),
    `MYSQL_SERVER\tlocalhost
MYSQL_SOCKET\t${database.socket}
MYSQL_PORT\t0
MYSQL_OPT\t0
MYSQL_USERNAME\t${database.user}
MYSQL_PASSWORD\t${database.password}
MYSQL_DATABASE\t${database.name}
MYSQL_USER_TABLE\tmailbox
MYSQL_CLEAR_PWFIELD\tpassword
MYSQL_UID_FIELD\tuid
MYSQL_GID_FIELD\tgid
MYSQL_LOGIN_FIELD\tusername
MYSQL_HOME_FIELD\thome
MYSQL_WHERE_CLAUSE\tsuspended='N'
##NAME: MARKER:0
`,
  );
  execFileSync("mount", ["--bind", join(dir, "etc"), "/etc/courier"]);
  execFileSync("mount", ["--bind", join(dir, "run"), "/run"]);
  return ready(daemon(dir, COURIER), dir, join(dir, "run/courier/authdaemon/socket"), () => {
    for (const mounted of ["/run", "/etc/courier"]) execFileSync("umount", [mounted]);
  });
}

function daemon(dir: string, program: string, ...args: string[]): ChildProcess {
  return spawn(program, args, { stdio: ["ignore", "ignore", openSync(join(dir, "log"), "a")], env: {} });
}

function scratch(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `${name}-`));
  chmodSync(dir, 0o755);
  return dir;
}

async function ready(child: ChildProcess, dir: string, socket: string, after = () => {}): Promise<Peer> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    after();
    rmSync(dir, { recursive: true, force: true });
  };
  for (let tries = 0; !existsSync(socket); tries++) {
    if (tries > 200 || child.exitCode !== null) {
      const log = join(dir, "log");
      const why = existsSync(log) ? readFileSync(log, "latin1") : "";
      await stop();
      throw new Error(`unable to start ${child.spawnfile}: ${why}`);
    }
    await sleep(50);
  }
  await sleep(300); // its processes
  return { socket, stop };
}
