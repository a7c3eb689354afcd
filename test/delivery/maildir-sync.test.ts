import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { type Delivered, deliver, type LocalCase, MAILDIR } from "../lib/deliver.ts";
import { BIN } from "../lib/program.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const MESSAGE = "Subject: x\n\nbody\n";
const SYNC_FAILS = `
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int fsync(int fd) {
	struct stat of;
	if (fstat(fd, &of) == 0 && S_ISDIR(of.st_mode)) {
		errno = atoi(getenv("SYNC_ERRNO"));
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}
`;

// The names of include/uapi/asm-generic/errno{-base,}.h.
const errnos = { EIO: "5", EINVAL: "22", ENOSPC: "28", EOPNOTSUPP: "95" };

describe.skipIf(!isRoot)("a new/ that cannot be synced", () => {
  const world = makeWorld();
  const library = join(world.home, "sync-fails.so");
  beforeAll(() => {
    sqlite.prepare(world);
    const source = join(world.home, "sync-fails.c");
    writeFileSync(source, SYNC_FAILS);
    execFileSync("gcc", ["-shared", "-fPIC", "-o", library, source]);
    execFileSync("chmod", ["755", library]);
  });
  afterAll(() => world.remove());

  async function delivery(env: Readonly<Record<string, string>>, files: LocalCase["files"] = MAILDIR) {
    const args = ["--", "iain", "@HOME@", "iain", "", "", "x.org", "s@h", "./Maildir/"];
    const job = { program: join(BIN, "qmail-local"), uid: UID, env: world.env };
    const [result] = await deliver({ ...job, cases: [{ args, files, message: MESSAGE, env }] });
    return result as Delivered;
  }
  const failing = (name: keyof typeof errnos) => ({ LD_PRELOAD: library, SYNC_ERRNO: errnos[name] });
  const stored = { "Maildir/new/*": `600 Return-Path: <s@h>\nDelivered-To: iain@x.org\n${MESSAGE}` };

  test.each(["EIO", "ENOSPC"] as const)("for %s defers the mail, and nothing stays behind", async (name) => {
    const { code, err, files } = await delivery(failing(name));
    expect(code).toBe(111);
    expect(err).toBe("Temporary error on maildir delivery. (#4.3.0)\n");
    expect(files ?? {}).toEqual({});
  });

  test.each(["EINVAL", "EOPNOTSUPP"] as const)(
    "for %s is on a file system that has no such sync: the mail is delivered",
    async (name) => {
      const { code, files } = await delivery(failing(name));
      expect(code).toBe(0);
      expect(files).toEqual(stored);
    },
  );

  test("because its owner may not read it takes mail as before", async () => {
    const { code, files } = await delivery({}, { ...MAILDIR, "Maildir/new": { dir: 0o300 } });
    expect(code).toBe(0);
    expect(files).toEqual(stored);
  });
});
