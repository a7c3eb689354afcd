import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { overSocket } from "../lib/databases.ts";
import { BIN, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { startServer } from "../lib/server.ts";
import { makeCertificate } from "../lib/smtp-certificate.ts";
import { startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// The swaks commands of README and guide, with the control files of the guide.

const UID = 64800;
const ROOT = join(import.meta.dirname, "../..");
const text = (file: string) => readFileSync(join(ROOT, file), "utf8");
const commands = (file: string) =>
  [...text(file).matchAll(/^ {4}swaks (.*?)(?: +#.*)?$/gm)].map(([, args = ""]) => args);

const world = makeWorld();
afterAll(() => world.remove());

test.skipIf(!isRoot)(
  "the commands do what is said",
  async () => {
    const { sql } = overSocket.prepare(world);
    for (const [i, name] of ["joe", "ann"].entries()) {
      sql(mailboxRow({ name, uid: UID + i, home: world.user(name, UID + i), password: "secret" }));
    }
    for (const file of ["me", "rcpthosts"]) world.control(file, "example.com\n");
    world.control("smtpd", text("conf/control/smtpd"));
    const submission = /printf '%s\\n' (.*) >\S*control\/submission$/m.exec(text("doc/guide.md"))?.[1] ?? "";
    world.control("submission", submission.replaceAll(/'([^']*)' ?/g, "$1\n"));
    const { chain, key } = makeCertificate("example.com");
    chmodSync(world.control("servercert.pem", chain + key), 0o600);
    const sqld = startSqld(world);
    const queue = join(world.home, "bin/queue");
    writeFileSync(queue, "#!/bin/sh\ncat >/dev/null\nexec cat <&1 >/dev/null\n");
    chmodSync(queue, 0o755);
    const args = [
      "-HRl0",
      "-u",
      String(QMAILD),
      "-g",
      String(NOFILES),
      "-w",
      "1",
      "127.0.0.1",
      "0",
      join(BIN, "qmail-smtpd"),
    ];
    const serve = (env: Readonly<Record<string, string>>) =>
      startServer("tcpserver-sql", args, {
        cwd: world.home,
        env: { ...world.env, QMAILQUEUE: queue, ...env },
      });
    const [smtp, submissions] = [await serve({}), await serve({ SMTPDCONF: "control/submission" })];
    const swaks = (command: string) =>
      run("/usr/bin/swaks", [
        ...command.replace("1:25 ", `1:${smtp.port} `).replace("1:587 ", `1:${submissions.port} `).split(" "),
        ...(command.includes("--auth ") ? ["--auth-password", "secret"] : []),
      ]);
    const [unknown = "", login = "", ...more] = commands("README.md");
    expect(more).toEqual([]);
    expect(commands("doc/guide.md")).toEqual([unknown, login]);
    expect(await swaks(unknown)).toMatchObject({ code: 24, stdout: expect.stringContaining("550 5.1.1") });
    expect(await swaks(login)).toMatchObject({ code: 0, stdout: expect.stringContaining(" 250 ok 1") });
    for (const each of [smtp, submissions, sqld]) await each.stop();
  },
  60_000,
);
