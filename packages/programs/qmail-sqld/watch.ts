import { type Ask, type Database, Unavailable } from "@qmail-mysql/database";
import { isSocketQuestion } from "@qmail-mysql/sqld-client";
import { reason } from "@qmail-mysql/trouble";
import type { Troubles } from "./troubles.ts";

/** Logs errors of the database and of answers. */
export interface Watch {
  /** Returns `ask` with its failures, and their end, logged. */
  ask(ask: Ask): Ask;
  /** The same for statements, which the log calls `what`. */
  query(query: Database["query"], what: string): Database["query"];
  /** The same for the function that connects to one of several servers. */
  open<T>(server: string, open: () => Promise<T>): () => Promise<T>;
  /** An error that is the answer to a client: logged unless it was logged when the query failed. */
  answered(error: unknown): void;
  /** A row because of which mail is deferred. */
  invalid(why: string): void;
}

const DATABASE = "the database";
const SETTLED = 1000; // milliseconds without a failure, so that intermittent errors are not logged as ended each time

export function openWatch(troubles: Troubles, say: (line: string) => void): Watch {
  const logged = new WeakSet<object>(); // errors
  const maybe = (line: string | undefined) => {
    if (line !== undefined) say(line);
  };
  const failed = (what: string, error: unknown) => {
    if (error instanceof Error) logged.add(error);
    maybe(troubles.failed(what, reason(error)));
  };
  const works = (what: string, settled = SETTLED) => maybe(troubles.works(what, settled));
  const watched = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    try {
      const rows = await ask();
      works(DATABASE);
      works(what);
      return rows;
    } catch (error) {
      failed(error instanceof Unavailable ? DATABASE : what, error);
      throw error;
    }
  };
  return {
    ask: (ask) => (question, values) =>
      watched(`the question ${isSocketQuestion(question) ? question : "authenticate"}`, () =>
        ask(question, values),
      ),
    query: (query, what) => (statement, values) => watched(what, () => query(statement, values)),
    open: (server, open) => async () => {
      const what = `the server ${server}`;
      try {
        const opened = await open();
        works(what, 0); // it is not tried often
        return opened;
      } catch (error) {
        failed(what, error);
        throw error;
      }
    },
    answered(error) {
      if (error instanceof Error && logged.has(error)) return;
      maybe(troubles.happened(reason(error)));
    },
    invalid: (why) => maybe(troubles.happened(why)),
  };
}
