import { Trouble } from "@qmail-mysql/trouble";
import { found, InvalidQuestion, type Special } from "../answer.ts";
import type { Figure } from "./stats.ts";

/** Counters that other programs keep and send, by name: what they count, and the names of their labels. */
const COUNTERS: Readonly<Record<string, { readonly help: string; readonly labels: readonly string[] }>> = {
  smtp_sessions: { help: "sessions that workers of qmail-smtpd have begun", labels: [] },
  smtp_replies: { help: "replies of workers of qmail-smtpd", labels: ["code", "reason"] },
  smtp_handshakes: { help: "TLS handshakes of workers of qmail-smtpd", labels: ["protocol"] },
};

const LABEL = /^[\w.]{0,20}$/;
const MOST = 500; // sets of labels of a counter; further ones are not shown separately
const OTHER = "other";
const LONGEST = 12; // digits

/** The counters of all programs that send them. */
export interface SentCounters {
  /** Adds what a question `count` has: name, labels and increment of a counter, again and again. */
  add(fields: readonly string[]): void;
  figures(): Figure[];
}

export function openSentCounters(): SentCounters {
  const counters = new Map<string, Map<string, number>>();
  return {
    add(fields) {
      for (const { name, labels, increment } of parsed(fields)) {
        const counts = counters.get(name) ?? new Map<string, number>();
        counters.set(name, counts);
        const own = labels.join("\0");
        const key = counts.has(own) || counts.size < MOST ? own : labels.map(() => OTHER).join("\0");
        counts.set(key, (counts.get(key) ?? 0) + increment);
      }
    },
    figures: () =>
      Object.entries(COUNTERS).flatMap(([name, { help, labels }]) => {
        const counts = counters.get(name);
        if (!counts) return [];
        const values = Array.from(counts, ([key, value]) => {
          const parts = key.split("\0");
          return { labels: Object.fromEntries(labels.map((label, i) => [label, parts[i] ?? ""])), value };
        });
        return [{ name, help, kind: "counter", values } as const];
      }),
  };
}

interface Increment {
  readonly name: string;
  readonly labels: readonly string[];
  readonly increment: number;
}

function parsed(fields: readonly string[]): Increment[] {
  const all: Increment[] = [];
  for (let at = 0; at < fields.length; ) {
    const name = fields[at] ?? "";
    const known = Object.hasOwn(COUNTERS, name) ? COUNTERS[name]?.labels.length : undefined;
    if (known === undefined) throw new InvalidQuestion("unable to answer count: no such counter");
    const labels = fields.slice(at + 1, at + 1 + known);
    const increment = fields[at + 1 + known] ?? "";
    if (
      !labels.every((label) => LABEL.test(label)) ||
      !/^\d+$/.test(increment) ||
      increment.length > LONGEST
    ) {
      throw new InvalidQuestion("unable to answer count: an invalid field");
    }
    all.push({ name, labels, increment: Number(increment) });
    at += known + 2;
  }
  return all;
}

/** The question `count`, from uids that are trusted to give it. */
export function countQuestion(counters: SentCounters, isTrusted: (uid: number) => boolean): Special {
  return (fields, peer) => {
    const uid = peer();
    if (!isTrusted(uid)) throw new Trouble(`unable to count: uid ${uid} is not in login_callers`);
    counters.add(fields);
    return found([]);
  };
}
