import { type Ask, type Database, Unavailable } from "@qmail-mysql/database";
import { isSocketQuestion } from "@qmail-mysql/sqld-client";
import { reason } from "@qmail-mysql/trouble";
import type { Troubles } from "./troubles.ts";

/** Says what goes wrong with the database and the answers. */
export interface Watch {
  /** `ask`, whose failures and their end are said. */
  ask(ask: Ask): Ask;
  /** The same for statements about `what`. */
  query(query: Database["query"], what: string): Database["query"];
  /** `open`, the same, for one of several servers. */
  open<T>(server: string, open: () => Promise<T>): () => Promise<T>;
  /** An error that a client is told of: said, unless it was when the query failed. */
  answered(error: unknown): void;
  /** A row that will keep mail waiting. */
  invalid(why: string): void;
}

const DATABASE = "the database";
const SETTLED = 1000; // milliseconds without a failure: what fails by turns is not said to work at each turn

export function openWatch(troubles: Troubles, say: (line: string) => void): Watch {
  const said = new WeakSet<object>(); // errors
  const maybe = (line: string | undefined) => {
    if (line !== undefined) say(line);
  };
  const failed = (what: string, error: unknown) => {
    if (error instanceof Error) said.add(error);
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
      if (error instanceof Error && said.has(error)) return;
      maybe(troubles.happened(reason(error)));
    },
    invalid: (why) => maybe(troubles.happened(why)),
  };
}
