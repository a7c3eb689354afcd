import type { FindSystemAccounts } from "@qmail-mysql/accounts";
import { awaitSystemAccounts, type PasswdEntry } from "./system-accounts.ts";

const KEPT = 5000; // milliseconds for which an account is cached; negative results are not
const MOST = 500; // names of one process

interface Waiting {
  readonly names: readonly string[];
  readonly resolve: (found: readonly PasswdEntry[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Looks up system accounts for many callers with one process at a time: those that wait are asked for together, so that
 * names that nobody has cannot start a process each.
 */
export function openAccountCache(timeout: number, now: () => number): FindSystemAccounts {
  const kept = new Map<string, { readonly entry: PasswdEntry; readonly until: number }>();
  let waiting: Waiting[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      const turn = takeTurn();
      const names = [...new Set(turn.flatMap((one) => one.names))];
      try {
        const found = await awaitSystemAccounts(names, timeout);
        for (const entry of found) kept.set(entry.name, { entry, until: now() + KEPT });
        for (const one of turn) one.resolve(found.filter(({ name }) => one.names.includes(name)));
      } catch (error) {
        for (const one of turn) one.reject(error);
      }
    }
    isRunning = false;
  }

  /** Removes and returns the first callers, at least one, with at most MOST names if it is several. */
  function takeTurn(): Waiting[] {
    let count = 0;
    const end = waiting.findIndex(({ names }, i) => {
      count += names.length;
      return i > 0 && count > MOST;
    });
    const turn = end < 0 ? waiting : waiting.slice(0, end);
    waiting = waiting.slice(turn.length);
    return turn;
  }

  return async (names) => {
    const known = names.flatMap((name) => {
      const one = kept.get(name);
      return one && one.until > now() ? [one.entry] : [];
    });
    const unknown = names.filter((name) => !known.some((entry) => entry.name === name));
    if (unknown.length === 0) return known;
    const found = await new Promise<readonly PasswdEntry[]>((resolve, reject) => {
      waiting.push({ names: unknown, resolve, reject });
      if (!isRunning) run().catch(reject);
    });
    return [...known, ...found];
  };
}
