import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BIN, run } from "../lib/program.ts";
import { compileRecorder } from "../lib/smtp-pair.ts";
import { makeWorld, type World } from "../lib/world.ts";

let world: World;
let record: string;
let env: Record<string, string>;
beforeAll(() => {
  world = makeWorld();
  record = `${world.home}/record`;
  world.control("me", "mx.example\n");
  env = { ...world.env, PATH: "/usr/bin:/bin", QMAILQUEUE: compileRecorder(world.home), RECORD: record };
});
afterAll(() => world.remove());
beforeEach(() => rmSync(record, { force: true }));

const MEGABYTE = 1 << 20;

/** Sends pieces, and returns the replies and the most memory that qmail-smtpd has used, in MB. */
async function served(pieces: Iterable<string>, more: Readonly<Record<string, string>> = {}) {
  const child = spawn(`${BIN}/qmail-smtpd`, { env: { ...env, ...more }, stdio: ["pipe", "pipe", "inherit"] });
  let replies = "";
  child.stdout.on("data", (bytes) => {
    replies = (replies + bytes).slice(-2000);
  });
  for (const piece of pieces) if (!child.stdin.write(piece, "latin1")) await once(child.stdin, "drain");
  await new Promise((resolve) => setTimeout(resolve, 200));
  const status = readFileSync(`/proc/${child.pid}/status`, "latin1");
  const peak = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  child.stdin.end();
  await once(child, "close");
  return { replies: replies.split("\r\n").slice(0, -1), peak };
}

function* repeated(piece: string, times: number) {
  for (let n = 0; n < times; n++) yield piece;
}

describe("memory is bounded", () => {
  let least: number;
  beforeAll(async () => {
    least = (await served(["NOOP\r\n"])).peak;
  });

  test("a line of 200 MB", async () => {
    const { replies, peak } = await served([
      ..."NOOP ",
      ...repeated("x".repeat(MEGABYTE), 200),
      "\r\nNOOP\r\n",
    ]);
    expect(replies.slice(-2)).toEqual(["250 ok", "250 ok"]);
    expect(peak - least).toBeLessThan(64);
  }, 60_000);

  test("a message of 100 MB, with lines and without", async () => {
    const start = ["MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"];
    const QMAILQUEUE = "/bin/true"; // reads nothing: what is sent is discarded
    for (const piece of [`${"y".repeat(76)}\r\n`.repeat(13_000), "z".repeat(MEGABYTE)]) {
      const { replies, peak } = await served([...start, ...repeated(piece, 100), "\r\n.\r\n"], {
        QMAILQUEUE,
      });
      expect(replies.at(-1)).toBe("451 qq read error (#4.3.0)");
      expect(peak - least).toBeLessThan(64);
    }
  }, 60_000);

  test("100,000 recipients", async () => {
    const rcpts = repeated(
      "RCPT TO:<somebody.with.a.long.name@a.host.of.some.length.example>\r\n".repeat(1000),
      100,
    );
    const { replies, peak } = await served(["MAIL FROM:<a@b>\r\n", ...rcpts, "DATA\r\nx\r\n.\r\n"]);
    expect(replies.at(-1)).toMatch(/^250 ok \d+ qp /);
    expect(peak - least).toBeLessThan(96);
  }, 60_000);

  test("recipients without end", async () => {
    const rcpt = `RCPT TO:<${"x".repeat(890)}@d>\r\n`;
    const { replies, peak } = await served(["MAIL FROM:<a@b>\r\n", ...repeated(rcpt.repeat(1000), 60)]);
    expect(replies.at(-1)).toBe("452 too many recipients (#4.5.3)");
    expect(peak - least).toBeLessThan(192);
  }, 60_000);
});

// What some programs take for the end of a message: SMTP smuggling.
test.each([
  "\n.\n",
  "\n.\r\n",
  "\r\n.\n",
  "\n.\r",
  "\r.\n",
  "\r.\r",
  "\r.\r\n",
  "\r\n.\r",
  "\r\n\0.\r\n",
  "\r\n.\0\r\n",
  "\r\r\n.\r\r\n",
  "\r\n\r.\r\n",
])("smuggling with %j", async (end) => {
  const smuggled = "MAIL FROM:<evil@b>\r\nRCPT TO:<victim@d>\r\nDATA\r\nevil\r\n.\r\n";
  const input = `MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx${end}${smuggled}QUIT\r\n`;
  const { stdout } = await run("qmail-smtpd", [], { env, input });
  expect(existsSync(record)).toBe(false);
  expect(stdout.split("\r\n").slice(4)).toEqual(
    /(?<!\r)\n/.test(end)
      ? ["451 See https://cr.yp.to/docs/smtplf.html.", ""]
      : ["554 the message has a NUL, or a CR without LF (#5.6.0)", "221 mx.example", ""],
  );
});
