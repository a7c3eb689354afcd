import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { BIN, run } from "../lib/program.ts";
import { isRoot } from "../lib/world.ts";

// conf/run as it is, under the supervisors that it is for.

const STOCK = process.env.STOCK_QMAIL;
const WRONG = "pop3, wrong: b'-ERR [AUTH] authorization failed'";

describe.skipIf(!isRoot)("run scripts", () => {
  const top = mkdtempSync(join(tmpdir(), "run-scripts-"));
  chmodSync(top, 0o755);
  afterAll(() => rmSync(top, { recursive: true }));

  async function start(supervisor: string): Promise<string[]> {
    const script = join(import.meta.dirname, "../lib/supervised.sh");
    const args = [supervisor, join(top, supervisor), BIN, ...(STOCK ? [STOCK] : [])];
    const { stdout, stderr, code } = await run(script, args, { limit: 60_000 });
    expect(code, stderr + stdout).toBe(0);
    return stdout.split("\n");
  }

  function works(lines: string[]): void {
    // The database at work, who asks known by the kernel's word, the C library's crypt(3): within the limits given.
    const login = "qmail-sqld: login: verdict=accepted service=pop3 address=192.0.2.1 uid=0 user=iain why=-";
    expect(lines).toContain(`pop3: messages: ${STOCK ? 1 : 0}`);
    expect(lines).toEqual(
      expect.arrayContaining([WRONG, "relay: 192.0.2.1", "after a restart: works", "popd: works"]),
    );
    expect(lines).toContain(`qmail-sqld| ${login}`);
    expect(lines.find((line) => /^pop3d\| tcpserver: ok \d+ .*:192\.0\.2\.1:/.test(line))).toBeDefined();
    expect(lines.find((line) => /^smtpd\| tcpserver: pid \d+ from 127\.0\.0\.1/.test(line))).toBeDefined();
    const ids = [QMAILD, NOFILES].map((id) => `runs as ${Array(4).fill(id).join(" ")}`);
    expect(lines.filter((line) => line.startsWith("runs as")).sort()).toEqual(
      [...ids, `runs as ${NOFILES}`].sort(),
    );
    expect(lines.filter((line) => /^never:|cannot|unknown|denied/.test(line))).toEqual([]);
    if (!STOCK) return;
    expect(lines).toEqual(expect.arrayContaining(["smtp: accepted", "qmail-lspawn runs qmail-mysql"]));
    expect(lines.find((line) => /^qmail\| delivery 1: success: did_1/.test(line))).toBeDefined();
  }

  // At the end pop3d is down, and popd in its place.
  const services = [
    "pop3d/log",
    ...[...(STOCK ? ["qmail"] : []), "popd", "qmail-sqld", "smtpd", "submission", "submissions"].flatMap(
      (service) => [service, `${service}/log`],
    ),
  ];

  test("daemontools: all services and their logs are up; a login, a relay record, a restart", async () => {
    const lines = await start("daemontools");
    works(lines);
    const up = lines.flatMap((line) => /^(\S+): up \(pid \d+\) \d+ seconds$/.exec(line)?.[1] ?? []);
    expect(up.sort()).toEqual([...services].sort());
  });

  test("s6: the same, and qmail-sqld says when it is ready", async () => {
    const lines = await start("s6");
    works(lines);
    expect(lines).toContain("qmail-sqld: ready");
    const up = lines.flatMap((line) => /^(\S+): true (?:true|false)$/.exec(line)?.[1] ?? []);
    expect(up.sort()).toEqual([...services].sort());
    expect(lines).toContain("qmail-sqld: true true");
  });

  test("systemd: the units are valid, and what they start is there", async () => {
    const lines = (await start("systemd")).filter((line) => line !== "");
    const lacking =
      "qmail.service: Command /var/qmail/bin/qmail-start is not executable: No such file or directory";
    expect(lines).toEqual(STOCK ? [] : [lacking]);
  });
});
