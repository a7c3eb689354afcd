import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tried } from "./smtp-load.ts";

export interface Judged {
  /** Violations. */
  readonly wrong: readonly string[];
  readonly accepted: number;
  /** Queued, though the session ended before the reply. */
  readonly unanswered: number;
  /** Queued by a qmail-queue that was then killed, so that the client got a temporary error. */
  readonly crashed: number;
}

const CRASHED = "451 qq crashed (#4.3.0)";

/**
 * Compares what is in a queue of qmail with what clients have sent: a message is in it, whole and once, if it was answered
 * with 250, and otherwise only if its end was sent and the answer was lost.
 */
export function judgeQueue(queue: string, tried: readonly Tried[]): Judged {
  const wrong: string[] = [];
  const counts = { accepted: 0, unanswered: 0, crashed: 0 };
  const queued = new Map<string, { envelope: string; text: string }[]>();
  for (const number of readdirSync(join(queue, "todo"))) {
    const file = join(queue, "mess", String(Number(number) % 23), number);
    if (!existsSync(file)) {
      wrong.push(`todo/${number} has no message`);
      continue;
    }
    const whole = readFileSync(file, "latin1");
    const text = whole.replace(/^(?:Received:[^\n]*\n(?:[ \t][^\n]*\n)*)+/, "");
    // u<uid> and p<pid> first: qmail-queue(8), INTERNALS
    const envelope = readFileSync(join(queue, "todo", number), "latin1").replace(/^u\d+\0p\d+\0/, "");
    const sender = /^F([^\0]*)\0/.exec(envelope)?.[1] ?? "";
    queued.set(sender, [...(queued.get(sender) ?? []), { envelope, text }]);
  }
  for (const { id, sender, recipients, text, isWhole, reply } of tried) {
    const found = queued.get(sender) ?? [];
    queued.delete(sender);
    const bad = (what: string) => wrong.push(`${id}, answered ${JSON.stringify(reply)}: ${what}`);
    const isAccepted = reply?.startsWith("250") ?? false;
    if (isAccepted) counts.accepted++;
    if (isAccepted ? found.length !== 1 : found.length > 1) bad(`${found.length} times in the queue`);
    for (const each of found) {
      if (each.text !== text) bad("it is in the queue with another text");
      const expected = [`F${sender}`, ...recipients.map((recipient) => `T${recipient}`)];
      if (each.envelope !== expected.map((field) => `${field}\0`).join("")) {
        bad(`it is in the queue with the envelope ${JSON.stringify(each.envelope)}`);
      }
      if (isAccepted) continue;
      if (!isWhole) bad("it is in the queue, and was not complete");
      else if (reply === undefined) counts.unanswered++;
      else if (reply === CRASHED) counts.crashed++;
      else bad("it is in the queue");
    }
  }
  for (const sender of queued.keys()) wrong.push(`nobody has sent what is queued from ${sender}`);
  return { wrong, ...counts };
}
