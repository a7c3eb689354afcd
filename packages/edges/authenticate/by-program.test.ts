import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { authenticateByProgram } from "./by-program.ts";

const dir = mkdtempSync(join(tmpdir(), "authenticate-"));
afterAll(() => rmSync(dir, { recursive: true }));

const ATTEMPT = {
  mechanism: "PLAIN",
  login: "joe",
  password: "secret",
  challenge: "",
  service: "smtp",
  client: { address: "192.0.2.1", port: "25" },
  environment: ["TCPREMOTEIP=192.0.2.1", "PATH=/usr/bin:/bin", "X=first", "X=second", "BAD=\xff"],
} as const;

function program(name: string, script: string): string {
  const file = join(dir, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

test("the program reads login, password and challenge, in the environment of the session", async () => {
  const out = join(dir, "out");
  const file = program("checker", `cat <&3 >"$1"; env >>"$1"; readlink /proc/$$/fd/0 /proc/$$/fd/1 >>"$1"`);
  const challenge = "<1.2@host>";
  const answer = await authenticateByProgram([file, out, "x"])({ ...ATTEMPT, challenge });
  expect(answer).toEqual({ accepted: { login: "joe", user: undefined } });
  const lines = readFileSync(out, "latin1").split("\n");
  expect(lines[0]).toMatch(/^joe\0secret\0<1\.2@host>\0/);
  expect(lines).toEqual(expect.arrayContaining(["X=first", "/dev/null"]));
  expect(lines.join("\n")).toContain("TCPREMOTEIP=192.0.2.1");
  expect(lines.join("\n")).not.toMatch(/^BAD=|^HOME=/m);
});

// checkpassword(8): 0, 1, 2, 111
test.each([
  ["exit 0", { accepted: { login: "joe", user: undefined } }],
  ["exit 1", { refused: "wrong password" }],
  ["exit 3", { refused: "exit 3" }],
  ["exit 2", { trouble: expect.stringMatching(/^unable to run .*: it exited 2$/) }],
  ["exit 111", { trouble: expect.stringMatching(/^unable to run .*: it exited 111$/) }],
  ["kill -9 $$", { trouble: expect.stringMatching(/^unable to run .*: it was killed by SIGKILL$/) }],
  ["exec sleep 60", { trouble: expect.stringMatching(/^unable to run .*: no verdict within 0.5 seconds$/) }],
])("%s", async (script, answer) => {
  const began = performance.now();
  expect(await authenticateByProgram([program("ends", script)], 500)(ATTEMPT)).toEqual(answer);
  expect(performance.now() - began).toBeLessThan(5000);
});

test("a program that is missing is trouble, and neither answer contains the password", async () => {
  const answer = await authenticateByProgram([join(dir, "missing")])(ATTEMPT);
  expect(answer).toEqual({ trouble: expect.stringMatching(/^unable to run .*missing: /) });
  expect(JSON.stringify(answer)).not.toContain("secret");
});

test("a login with NUL, which would move the fields, is refused without the program", async () => {
  const check = authenticateByProgram([join(dir, "missing")]);
  expect(await check({ ...ATTEMPT, login: "joe\0known" })).toEqual({ refused: "wrong password" });
});

test("no descriptor is left", async () => {
  const check = authenticateByProgram(["/bin/true"]);
  const count = () =>
    execFileSync("ls", [`/proc/${process.pid}/fd`])
      .toString()
      .split("\n").length;
  await check(ATTEMPT);
  const before = count();
  for (let i = 0; i < 20; i++) await check(ATTEMPT);
  expect(count()).toBeLessThanOrEqual(before + 1);
});
