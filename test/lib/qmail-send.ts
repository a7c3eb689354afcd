import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Mail } from "./crash-users.ts";
import { putMessage } from "./lspawn.ts";
import type { World } from "./world.ts";

/** An attempt: a command to qmail-lspawn to deliver. */
export interface Attempt {
  /** A unique sender, which identifies the copies of this attempt. */
  readonly sender: string;
  /** The pid of that qmail-lspawn. */
  readonly pid: number;
  /** Undefined if qmail-lspawn ended before the report. */
  report: string | undefined;
}

/** A message for one recipient. */
export interface Delivery {
  readonly messid: string;
  readonly text: string;
  readonly recipient: string;
  readonly attempts: Attempt[];
}

export interface QmailSend {
  readonly deliveries: readonly Delivery[];
  /** The pid of the running qmail-lspawn. */
  pid(): number;
  /** Starts a qmail-lspawn and keeps it busy; settles when it is ready. */
  begin(): Promise<void>;
  /** Settles when qmail-lspawn has ended and its last report was read. */
  gone(): Promise<void>;
  /** Settles after this many more reports. */
  reports(n: number): Promise<void>;
  /** Takes no more messages; settles when all have been delivered. */
  rest(): Promise<void>;
  /** Takes messages again. */
  resume(): void;
  /** Rests, and ends qmail-lspawn; settles when it has ended. */
  drain(): Promise<void>;
}

const IN_QUEUE = 60; // deliveries not done, before new messages are taken
const AGAIN = 100; // milliseconds after a deferral
const STALLED = 30_000; // milliseconds without a report after which a test fails

/**
 * A small qmail-send: takes message after message from `next`, asks for `width` deliveries at a time, gives those
 * that were deferred again, and after a crash those that were not reported; removes a message that is done.
 */
export function startQmailSend(
  world: World,
  width: number,
  spawnLspawn: () => ChildProcess,
  next: () => Mail,
): QmailSend {
  const deliveries: Delivery[] = [];
  const queue: Delivery[] = []; // to be given now
  const atWork = new Map<number, { delivery: Delivery; attempt: Attempt }>();
  const left = new Map<string, number>(); // recipients of each message not done
  let undone = 0;
  let messages = 0;
  let reported = 0;
  let resting = false;
  let listening = false;
  let child: ChildProcess;
  let isGone: Promise<void>;

  function takeMessage(): void {
    const messid = `0/${++messages}`;
    const { text, recipients } = next();
    putMessage(world, messid, text);
    left.set(messid, recipients.length);
    const all = recipients.map((recipient) => ({ messid, text, recipient, attempts: [] }));
    deliveries.push(...all);
    queue.push(...all);
    undone += all.length;
  }

  function fill(): void {
    if (!listening) return;
    for (let delnum = 0; delnum < width; delnum++) {
      if (atWork.has(delnum)) continue;
      if (queue.length === 0 && !resting && undone < IN_QUEUE) takeMessage();
      const delivery = queue.shift();
      if (!delivery) return;
      const { messid, recipient, attempts } = delivery;
      const sender = `${messid.slice(2)}.${recipient.replace("@", "=")}.${attempts.length}@send.example`;
      const attempt: Attempt = { sender, pid: child.pid ?? 0, report: undefined };
      attempts.push(attempt);
      atWork.set(delnum, { delivery, attempt });
      const command = `${String.fromCharCode(delnum)}${messid}\0${sender}\0${recipient}\0`;
      child.stdin?.write(Buffer.from(command, "latin1"));
    }
  }

  function hear(delnum: number, report: string): void {
    const job = atWork.get(delnum);
    if (!job) throw new Error(`a report of delivery ${delnum}, which is not under way: ${report}`);
    atWork.delete(delnum);
    reported++;
    job.attempt.report = report;
    const { delivery } = job;
    if (report.startsWith("Z")) {
      setTimeout(() => {
        queue.push(delivery);
        fill();
      }, AGAIN);
      return;
    }
    undone--;
    const { messid } = delivery;
    const more = (left.get(messid) ?? 0) - 1;
    left.set(messid, more);
    if (more === 0) rmSync(join(world.home, "queue/mess", messid));
  }

  async function begin(): Promise<void> {
    const mine = spawnLspawn();
    let bytes = "";
    child = mine;
    mine.stdin?.on("error", () => {}); // it has ended: see "close"
    mine.stdout?.on("data", (chunk: Buffer) => {
      bytes += chunk.toString("latin1");
      if (!listening) {
        listening = true; // the first byte is how many deliveries there may be at once
        bytes = bytes.slice(1);
      }
      for (let nul = bytes.indexOf("\0", 1); nul >= 0; nul = bytes.indexOf("\0", 1)) {
        hear(bytes.charCodeAt(0), bytes.slice(1, nul));
        bytes = bytes.slice(nul + 1);
      }
      fill();
    });
    isGone = new Promise((resolve) => {
      mine.on("close", () => {
        listening = false;
        queue.unshift(...Array.from(atWork.values(), ({ delivery }) => delivery));
        atWork.clear();
        resolve();
      });
    });
    await until("start", () => listening);
  }

  /** Waits while there is progress. */
  async function until(what: string, done: () => boolean): Promise<void> {
    let seen = reported;
    for (let end = Date.now() + STALLED; !done(); await sleep(2)) {
      if (reported !== seen) end = Date.now() + STALLED;
      seen = reported;
      if (Date.now() > end) throw new Error(`${what}: nothing happens; ${undone} deliveries are not done`);
    }
  }

  function rest(): Promise<void> {
    resting = true;
    return until("rest", () => undone === 0);
  }

  return {
    deliveries,
    pid: () => child.pid ?? 0,
    begin,
    gone: () => isGone,
    reports(n) {
      const target = reported + n;
      return until("deliveries", () => reported >= target);
    },
    rest,
    resume() {
      resting = false;
      fill();
    },
    async drain() {
      await rest();
      child.stdin?.end();
      await isGone;
    },
  };
}
