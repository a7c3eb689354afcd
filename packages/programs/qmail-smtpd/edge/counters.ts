import { sqldAt, sqldPath } from "@qmail-mysql/sqld-client";

const SECONDS = 5; // between reports, and for each
const MOST = 200; // counters of a report

/** Counts what the sessions of this process do, and reports it to qmail-sqld: `qmail-sqld stats`. */
export interface Counters {
  session(): void;
  /** Replies as they are sent; each line that ends one is counted by its code and its reason. */
  replies(text: string): void;
  /** The protocol, or "failed". */
  handshake(result: string): void;
  /** Reports what is not yet reported. */
  close(): Promise<void>;
}

// A last line: code, an enhanced status code (RFC 2034) or that of qmail at its end.
const REPLY = /^(\d{3}) (?:(\d\.\d{1,3}\.\d{1,3}) )?.*?(?:\(#(\d\.\d{1,3}\.\d{1,3})\)\s*)?$/gm;

/** Without control/sqld nothing is reported. What cannot be reported is kept. */
export function openCounters(home: string): Counters {
  const counts = new Map<string, number>();
  const count = (...name: string[]) => {
    const key = name.join("\0");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  const path = attempt(() => sqldPath(home));
  const sqld = path === undefined ? undefined : sqldAt(path);

  async function report(): Promise<void> {
    const some = [...counts].slice(0, MOST);
    if (some.length === 0) return;
    for (const [key] of some) counts.delete(key);
    const fields = some.flatMap(([key, value]) => [...key.split("\0"), String(value)]);
    try {
      await sqld?.ask("count", fields, SECONDS);
    } catch {
      for (const [key, value] of some) counts.set(key, (counts.get(key) ?? 0) + value);
    }
  }
  const timer = sqld && setInterval(report, SECONDS * 1000);
  return {
    session: () => count("smtp_sessions"),
    replies(text) {
      if (!sqld) return;
      for (const [, code = "", early, late] of text.replaceAll("\r", "").matchAll(REPLY)) {
        count("smtp_replies", code, early ?? late ?? "");
      }
    },
    handshake: (result) => count("smtp_handshakes", result),
    async close() {
      clearInterval(timer);
      await report();
      sqld?.close();
    },
  };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
