import { spawn } from "node:child_process";
import type { Verdict } from "@qmail-mysql/accounts";
import { isRoot, self } from "@qmail-mysql/process";
import { askVerdict, sqldPath, tellVerdict } from "@qmail-mysql/sqld-client";
import { openSite, type Site } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import type { LoginRequest } from "../packets.ts";
import { decodeVerdict, encodeCredentials } from "../verdict.ts";

const AT_ONCE = 4; // processes
const MOST_WAITING = 500; // logins
const LIMIT = 60_000; // milliseconds
const OUTPUT_LIMIT = 8192; // bytes

export type Judge = (request: LoginRequest) => Promise<Verdict>;

/**
 * Decides logins as checkpassword does: mailboxes through qmail-sqld, and what takes long in processes of their own. Is
 * rejected with Trouble.
 */
export function openJudges(qmailHome: string, isSystem: boolean): Judge {
  let site: Promise<Site> | undefined;
  const alone = limited(decideAlone, AT_ONCE);

  return async (request) => {
    if (sqldPath(qmailHome) === undefined) return alone(request);
    site ??= openSite(qmailHome, "qmail-popd", true).catch((error) => {
      site = undefined; // tried again at the next login
      throw error;
    });
    const { sqld, settings } = await site;
    if (!sqld) return alone(request);
    const verdict = await askVerdict(sqld, request, request, settings.timeout);
    if ("accepted" in verdict || !isSystem || !isRoot()) return verdict;
    const ofSystem = alone(request);
    if (verdict.refused === "unknown") {
      const own = await ofSystem;
      await tellVerdict(sqld, request.login, own, request, settings.timeout).catch(() => {}); // only missing in its log
      return own;
    }
    await ofSystem.catch(() => {}); // only to take the same time
    return verdict;
  };
}

/** Runs qmail-popd --judge for a login. */
function decideAlone(request: LoginRequest): Promise<Verdict> {
  const { file, args, argv0 } = self(["--judge"]);
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      argv0,
      stdio: ["pipe", "pipe", 2],
      timeout: LIMIT,
      killSignal: "SIGKILL",
    });
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      if (output.length < OUTPUT_LIMIT) output += chunk.toString("latin1");
    });
    child.stdin?.on("error", () => {}); // it has ended, which its exit code tells
    child.on("error", reject);
    child.on("close", (code) => {
      const verdict = code === 0 ? decodeVerdict(output) : undefined;
      if (verdict) resolve(verdict);
      else reject(new Trouble(`unable to check a login: exit code ${code}`));
    });
    child.stdin?.end(toBuffer(encodeCredentials(request)));
  });
}

/** Runs at most `most` at once; the others wait. */
function limited(decide: Judge, most: number): Judge {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (request) => {
    if (waiting.length >= MOST_WAITING) throw new Trouble("unable to check a login: too many wait");
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await decide(request);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
