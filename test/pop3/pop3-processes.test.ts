import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { BIN, proc, run } from "../lib/program.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const world = makeWorld();
const home = world.user("joe", UID);
const impatient = makeWorld();
impatient.control("timeoutpop3d", "1\n");
const { env } = world;
afterAll(() => {
  world.remove();
  impatient.remove();
});
const asUser = isRoot ? { uid: UID, gid: UID } : {};
const onNode = process.env.RUNTIME === "node";

describe("qmail-popup's subprogram", () => {
  const popup = async (script: string, more: Readonly<Record<string, string>> = {}) => {
    const got = await run("qmail-popup", ["host", "sh", "-c", script], {
      env: { ...env, ...more },
      input: "USER a\r\nPASS b\r\n",
    });
    return got.stdout.split("\r\n").slice(2).join("\r\n");
  };

  test.skipIf(onNode)("has a pipe as descriptor 3", async () => {
    expect(await popup("test -p /dev/fd/3 && tr '\\0' '|' </dev/fd/3")).toMatch(/^a\|b\|<.*>\|$/);
  });

  test("has no other descriptor, no signal ignored or blocked", async () => {
    const got = await popup(
      "exec 3<&-; ls /proc/self/fd | tr '\\n' ' '; grep -E 'Sig(Blk|Ign)' /proc/self/status",
    );
    // ls itself opens the directory as 3
    // 32 and 33 are the C library's own; under make(1) they arrive ignored, and no program can tell.
    expect(got).toMatch(/^0 1 2 3 SigBlk:\t0+\nSigIgn:\t0{7}[01][08]0{7}\n$/);
  });

  test("has the environment unchanged", async () => {
    expect(await popup("printenv ODD", { ODD: "a b\té\n=" })).toBe("a b\t\xc3\xa9\n=\n");
  });

  test("need not read descriptor 3", async () => {
    expect(await popup("exec 3<&-; echo served")).toBe("served\n");
  });

  test.each([
    ["/nonexistent/prog", "file does not exist"],
    ["/etc/passwd", "access denied"],
  ])("%s cannot be run: refused, and the log says why", async (program, why) => {
    const got = await run("qmail-popup", ["host", program], { env, input: "USER a\r\nPASS b\r\n" });
    expect([got.code, got.stderr]).toEqual([1, `qmail-popup: warning: unable to run ${program}: ${why}\n`]);
    expect(got.stdout).toMatch(
      /\+OK \r\n-ERR \[SYS\/TEMP\] unable to check the password, try again later\r\n$/,
    );
  });
});

describe("a client that does nothing", () => {
  const idle = async (program: string, args: string[], as: object = {}) => {
    const started = performance.now();
    const child = spawn(join(BIN, program), args, { env: impatient.env, cwd: home, ...as });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString("latin1");
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    return { code, out, ms: performance.now() - started };
  };

  test("is left by qmail-popup after control/timeoutpop3d seconds, without a word", async () => {
    const { code, out, ms } = await idle("qmail-popup", ["host", "true"]);
    expect(code).toBe(1);
    expect(out).toMatch(/^\+OK <[^>]*>\r\n$/);
    expect(ms).toBeGreaterThan(990);
  });

  test("is left by qmail-pop3d, exit 0", async () => {
    const { code, out, ms } = await idle("qmail-pop3d", ["Maildir"], asUser);
    expect([code, out]).toEqual([0, "+OK \r\n"]);
    expect(ms).toBeGreaterThan(990);
  });
});

describe("a large message", () => {
  const SIZE = 100 * 2 ** 20;
  const file = join(home, "Maildir/cur/1.large");
  const start = (e: Readonly<Record<string, string>>, out: "pipe" | number = "pipe"): ChildProcess =>
    spawn(join(BIN, "qmail-pop3d"), ["Maildir"], {
      env: e,
      cwd: home,
      stdio: ["pipe", out, "pipe"],
      ...asUser,
    });
  const make = () => {
    writeFileSync(file, "");
    truncateSync(file, SIZE); // one line of NULs
    if (isRoot) chownSync(file, UID, UID);
    utimesSync(file, 1_500_000_000, 1_500_000_000);
  };

  test("of 100 MB in one line is sent in bounded memory", async () => {
    make();
    const child = start(env);
    let size = 0;
    let tail = "";
    await new Promise<void>((resolve) => {
      child.stdout?.on("data", (chunk: Buffer) => {
        size += chunk.length;
        tail = (tail + chunk.subarray(-16).toString("latin1")).slice(-16);
        if (tail.endsWith("\0\r\n\r\n.\r\n")) resolve();
      });
      child.stdin?.write("RETR 1\r\n");
    });
    const peak = Number(/VmHWM:\s+([0-9]+)/.exec(proc(child.pid ?? 0, "status"))?.[1]) / 1024;
    child.stdin?.end();
    expect(size).toBe("+OK \r\n+OK \r\n".length + SIZE + "\r\n\r\n.\r\n".length);
    expect(peak).toBeLessThan(80); // megabytes, of which the runtime takes half
  });

  test("to a client that takes nothing is given up, exit 0", async () => {
    make();
    const child = start(impatient.env);
    child.stdin?.write("RETR 1\r\n");
    child.stdout?.pause();
    const started = performance.now();
    const code = await new Promise((resolve) => child.on("exit", resolve));
    expect(code).toBe(0);
    expect(performance.now() - started).toBeGreaterThan(990);
  });

  test("to a client that went away ends quietly", async () => {
    make();
    const child = start(env);
    child.stdin?.write("RETR 1\r\n");
    child.stdout?.once("data", () => child.stdout?.destroy());
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    expect(said).toBe("");
  });
});

describe("O_NONBLOCK", () => {
  const nonblock = (pid: number, fd: number) =>
    (Number.parseInt(/flags:\s+([0-7]+)/.exec(proc(pid, `fdinfo/${fd}`))?.[1] ?? "", 8) & 0o4000) !== 0;

  test.each([
    ["qmail-popup", ["host", "true"], /@host>\r\n$/],
    ["qmail-pop3d", ["Maildir"], /\+OK \r\n$/],
  ] as const)("is not set by %s on what it shares", async (program, args, greeting) => {
    const child = spawn(join(BIN, program), args, { env, cwd: home, ...asUser });
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => greeting.test(chunk.toString()) && resolve());
    });
    expect([0, 1, 2].map((fd) => nonblock(child.pid ?? 0, fd))).toEqual([false, false, false]);
    child.stdin.end();
    await new Promise((resolve) => child.on("close", resolve));
  });

  test("when somebody else has set it does no harm", () => {
    // Both ends non-blocking, the reader slow: 2 MB must arrive whole.
    const message = join(home, "Maildir/cur/1.large");
    writeFileSync(message, `A: b\n\n${"0123456789abcde\n".repeat(131072)}`);
    if (isRoot) chownSync(message, UID, UID);
    utimesSync(message, 1_500_000_000, 1_500_000_000);
    const script = `
import os, subprocess, sys, time
as_user = ${isRoot ? `dict(user=${UID}, group=${UID}, extra_groups=[])` : "{}"}
r, w = os.pipe(); i, o = os.pipe()
for fd in (i, w): os.set_blocking(fd, False)
p = subprocess.Popen(sys.argv[1:], stdin=i, stdout=w, **as_user)
os.close(w); os.close(i)
time.sleep(0.2); os.write(o, b"RETR 1\\r\\n"); time.sleep(0.2); os.close(o)
n = 0
while True:
    got = os.read(r, 65536)
    if not got: break
    n += len(got)
print(n, p.wait())
`;
    const out = execFileSync("python3", ["-c", script, join(BIN, "qmail-pop3d"), "Maildir"], {
      env: { ...env, PATH: process.env.PATH ?? "" },
      cwd: home,
    });
    expect(out.toString()).toBe(`${6 + 6 + 8 + 131072 * 17 + 5} 0\n`);
  });
});

test("control/timeoutpop3d that is no number: the stock time, and a warning", async () => {
  const odd = makeWorld();
  const file = odd.control("timeoutpop3d", "soon\n");
  const got = await run("qmail-popup", ["host", "true"], { env: odd.env, input: "QUIT\r\n" });
  odd.remove();
  expect(got.stderr).toBe(`qmail-popup: warning: ${file} is not used: expected a number on line 1\n`);
  expect(got.stdout).toMatch(/\+OK \r\n$/);
});

test.skipIf(!isRoot)("qmail-pop3d is not for root: exit 1", async () => {
  const got = await run("qmail-pop3d", ["Maildir"], { env, cwd: home, input: "" });
  expect([got.code, got.stdout, got.stderr]).toEqual([1, "", "qmail-pop3d invoked as uid 0, terminating\n"]);
});
