// try.js DIR BUN: tests the programs of DIR before they are kept: that each starts, that every type of stored password
// can be verified, and a lookup through each driver. Also without root. Exits 1 after printing what failed.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2";
import auth from "../node_modules/mysql2/lib/auth_41.js";

const [, , dir, bun] = process.argv;
const top = mkdtempSync(join(tmpdir(), "try-"));
const home = join(top, "qmail");
for (const part of ["control", "users", "empty"]) mkdirSync(join(home, part), { recursive: true });
chmodSync(top, 0o755);
// A directory in which another account can run them, even if the tree is in root's home.
const bin = join(top, "bin");
cpSync(resolve(dir), bin, { recursive: true, verbatimSymlinks: true });
chmodSync(bin, 0o755);

// Mailboxes of root are refused.
const [uid, gid] = process.getuid() === 0 ? [65534, 65534] : [process.getuid(), process.getgid()];
/** "secret", by mkpasswd, openssl, argon2, doveadm pw and MariaDB. */
const STORED = {
  Password: ["secret"],
  "MySQL-Password": ["*14E65567ABDB5135D0CFD9A70B3032C179A49EE7", "428567f408994404"],
  "Crypt-Password": `abNANd1rDfiNc
    $1$saltsalt$9xy1btjgzLYfb7hivXtC//
    $apr1$saltsalt$LrttParrLPdxvgutaSXWJ0
    $5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2
    $6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/
    $2b$05$QyaX0GTrgAJ/hc36xJEOnO2dbG543V6LoqmxCl8MAT/r3lnrWeZ.G
    $argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$TnDEl2tJgYtaYZt0/5f59Jf56vkIG4EtQACv6SLO2cI
    $argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$0OQeN6HwO0M2YrzAjTEiuvxg/1eyJQJGlBfVMF/YMdE
    {SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
    {SSHA}F+MDxcV6zY2KUzFTtgJ9fVp/vk7u3Wgl
    {SHA256.HEX}2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b
    {SSHA512}Kel129It9O4/ommEeNohYp+k2L83c1761GnBU9zGqvdRnWL5B1MkZPgwxU35nwq2xyMqmo0cMrlIBblHud3XWNcJDfs=
    {PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69
    {SMD5}p7hyVjK3qyRX4WNsDvF0pd1xDPo=`.split(/\s+/),
};
/** Types that only crypt(3) of the C library supports, which perl can call. */
const SYSTEM = [
  "$y$j75$UWp6cWLigAIBKN3E6UPOc/$VwKvdluYRt0hi1rXv0WAo0y7EqzsHpDONkFQtbmbXZ3",
  "$7$BU..../....TtYEvH4b2uYnSSKT8m6wr/$GEIdQXfVb4yD8GLCFJsrmbEJWwrVmoCF6DDc9E5jAyD",
];
const rows = Object.entries(STORED)
  .flatMap(([type, all]) => all.map((stored) => ({ type, stored, system: false })))
  .concat(SYSTEM.map((stored) => ({ type: "Crypt-Password", stored, system: true })))
  .map((row, i) => ({ ...row, user: `u${i}` }));

/** Returns the exit code and the output of a command, within a minute. `fd3`: its input on descriptor 3. */
function run(command, fd3, how = {}) {
  const [file, ...args] = command;
  const input = fd3 === undefined ? "ignore" : openSync(give(fd3), "r");
  const { env, ...more } = how;
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe", input],
    env: { PATH: process.env.PATH, QMAIL_HOME: home, ...env },
    timeout: 60_000,
    ...more,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (said += bytes));
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("close", (code, signal) => done({ code: code ?? signal, said: said.trim() }));
  });
}
let given = 0;
function give(text) {
  const file = join(top, `fd3.${given++}`);
  writeFileSync(file, text);
  return file;
}

let failures = 0;
function expect(what, { code, said }, codes, words = /^/) {
  if ([codes].flat().includes(code) && words.test(said)) return;
  failures++;
  console.error(`try: ${what}: exit ${code}: ${said.slice(0, 300)}`);
}

/** Runs jobs, one per processor at a time. */
async function all(jobs) {
  const left = [...jobs];
  const one = async () => {
    for (let job = left.shift(); job; job = left.shift()) await job();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, one));
}

/** Every program starts, and reports its usage or what is missing. */
async function starts() {
  const programs = readFileSync(join(import.meta.dirname, "../packages/programs/manifest"), "utf8")
    .split("\n")
    .filter((line) => /^[^#]/.test(line))
    .map((line) => line.split(" ", 1)[0]);
  const says =
    /usage|invoked as uid 0|this user has no|unable to run as root|unable to read (controls|\S+: file does not exist)/i;
  await all(
    programs.map((name) => async () => {
      const got = await run([join(bin, name)], undefined, { env: { QMAIL_HOME: join(home, "empty") } });
      expect(name, got, [0, 1, 2, 100, 111], says);
    }),
  );
}

/** Every type of stored password, with each implementation. */
async function verifies() {
  const perl = "/usr/bin/perl";
  const ways = { "by the C library": [] };
  if (process.env.RUNTIME !== "node") {
    // Below 3 GB of address space the runtime cannot call the C library: perl does, and without perl JavaScript.
    const limited = ["sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh"];
    if (existsSync(perl)) ways["by perl"] = limited;
    const hide = ["unshare", "--mount", "sh", "-c", `mount --bind /dev/null ${perl} && exec "$@"`, "sh"];
    const hidden = await run([...hide, "true"]).catch(() => ({ code: 1 }));
    if (hidden.code === 0) ways["by ourselves"] = [...hide, ...limited];
  }
  const check = (way, user, password) =>
    run([...way, join(bin, "checkpassword"), "true"], `${user}\0${password}\0\0`);
  const right = Object.entries(ways).flatMap(([how, way]) =>
    rows
      .filter((row) => !row.system || how !== "by ourselves")
      .map(
        ({ user, stored }) =>
          async () =>
            expect(`${stored} ${how}`, await check(way, user, "secret"), 0),
      ),
  );
  const wrong = rows.map(
    ({ user, stored }) =>
      async () =>
        expect(`${stored}: wrong`, await check([], user, "x"), 1),
  );
  await all([...right, ...wrong]);
}

/** Through qmail-sqld, as an account that is not root. `found`: what qmail-getpw prints. */
async function throughSqld(found) {
  const socket = join(top, "sqld/socket");
  mkdirSync(join(top, "sqld"));
  if (process.getuid() === 0) for (const path of [join(top, "sqld"), DATA]) chownSync(path, uid, gid);
  writeFileSync(join(home, "control/sqld"), `${socket}\n`);
  const sqld = spawn(join(bin, "qmail-sqld"), { stdio: "ignore", env: { QMAIL_HOME: home }, uid, gid });
  const ended = new Promise((done) => sqld.on("close", done));
  for (let tries = 0; !existsSync(socket) && tries < 500; tries++) await sleep(20);
  expect("qmail-getpw through qmail-sqld", await run([join(bin, "qmail-getpw"), "u0-ext"]), 0, found);
  const login = await run([join(bin, "checkpassword"), "true"], "u0\0secret\0\0");
  expect("checkpassword through qmail-sqld", login, 0);
  sqld.kill();
  await ended;
  rmSync(join(home, "control/sqld"));
}

/** A lookup through each driver. */
async function looksUp() {
  const getpw = (words, codes, control) => async () => {
    for (const [file, text] of Object.entries(control)) writeFileSync(join(home, "control", file), text);
    expect(
      `qmail-getpw with ${Object.keys(control)}`,
      await run([join(bin, "qmail-getpw"), "u0-ext"]),
      codes,
      words,
    );
  };
  const found = new RegExp(`^u0\0${uid}\0${gid}\0.*\0-\0ext\0$`);
  await getpw(found, 0, {})();

  // qmail-sqld, as an account that is not root. A Node below root's home cannot be executed by that account.
  const reach = spawnSync(join(bin, "qmail-getpw"), [], {
    uid,
    gid,
    stdio: "ignore",
    env: { QMAIL_HOME: home },
  });
  if (reach.error?.code === "EACCES") console.error(`try: skipped: qmail-sqld: uid ${uid} cannot execute it`);
  else await throughSqld(found);

  // A server that accepts the login but has no tables; then no server.
  const server = mysql.createServer();
  const connections = [];
  const words = "no tables here";
  server.on("connection", (connection) => {
    connections.push(connection);
    connection.on("error", () => {});
    connection.on("stmt_prepare", () => {
      connection.writeError({ code: 1146, message: words });
      connection._resetSequenceId();
    });
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: "8.0.0",
      connectionId: 1,
      statusFlags: 2,
      characterSet: 45,
      capabilityFlags: 0xf7ff & ~0x800, // without TLS
      authCallback({ user, authPluginData1, authPluginData2, authToken }, done) {
        const twice = auth.doubleSha1("secret");
        const isRight = auth.verifyToken(authPluginData1, authPluginData2, authToken, twice);
        done(null, isRight && user === "qmail" ? null : { code: 1045, message: "the login is wrong" });
        connection._resetSequenceId();
      },
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server._server.address();
  const config = `server 127.0.0.1:${port}\nlogin qmail\npassword secret\ndb qmail\n`;
  await getpw(new RegExp(words), 118, { sqlserver: config })();
  const closed = new Promise((done) => server.close(done));
  for (const connection of connections) connection.stream.destroy();
  await closed;
  await getpw(/connection refused/, 118, { sqlserver: config })();
}

const DATA = join(home, "users/mail.db");
try {
  const own = join(top, "own");
  mkdirSync(own);
  if (process.getuid() === 0) chownSync(own, uid, gid);
  const values = rows.map(
    ({ user, type, stored }) => `('${user}', ${uid}, ${gid}, '${own}', '${stored}', '${type}')`,
  );
  const input = `${readFileSync(join(import.meta.dirname, "../sql/sqlite/schema.sql"), "utf8")}
    INSERT INTO mailbox (username, uid, gid, home, password, password_type) VALUES ${values};`;
  const fill = `new (require("bun:sqlite").Database)(process.argv[1]).exec(await Bun.stdin.text())`;
  execFileSync(bun, ["-e", fill, DATA], { input });
  writeFileSync(join(home, "control/sqlserver"), "driver sqlite\ndb users/mail.db\n");
  await starts();
  await verifies();
  await looksUp();
} finally {
  rmSync(top, { recursive: true });
}
process.exit(failures === 0 ? 0 : 1);
