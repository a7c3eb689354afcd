import type { Value } from "@qmail-mysql/database";
import { isOurs } from "@qmail-mysql/socket";
import { Trouble } from "@qmail-mysql/trouble";
import { netstring, nulEnded, nulFields } from "@qmail-mysql/wire";

/** qmail-sqld-protocol(7): no question and no answer is longer, in bytes. */
export const QUESTION_LIMIT = 16_384;
export const ANSWER_LIMIT = 1_048_576;

/** The version of the protocol that this qmail-sqld speaks, as a line of its settings; without one it is the first. */
export const PROTOCOL = "protocol 2";

/** Within how many seconds a login is judged: hashes wait for their turn, however short the database's timeout is. */
export const loginSeconds = (timeout: number) => Math.max(timeout, 30);

/** Seconds that an answer may take beyond qmail-sqld's own limit. */
export const GRACE = 1;

/** qmail-sqld's side of a connection, asked one question after another. Each answer is its fields. */
export interface Sqld {
  /** The fields of the answer, undefined for "none". Throws Trouble, also after `seconds` without an answer. */
  ask(question: string, fields: readonly Value[], seconds: number): Promise<string[] | undefined>;
  /** Ends the connection when the last answer on its way is here. */
  close(): void;
}

export const trouble = (path: string, why: string) =>
  new Trouble(`unable to ask qmail-sqld at ${path}: ${why}`);

/**
 * Whoever listens there says which user a root process becomes: throws unless it is root, we ourselves or the owner of
 * the socket's directory.
 */
export function checkListener(listener: number | undefined, owner: number): void {
  if (listener === undefined || listener === owner || isOurs(listener)) return;
  throw new Error(`it runs as uid ${listener}, and its directory belongs to uid ${owner}`);
}

/** A question as it goes over the socket. Throws Trouble. */
export function questionOf(path: string, question: string, fields: readonly Value[]): string {
  const payload = nulEnded([question, ...fields]);
  if (payload.length > QUESTION_LIMIT) throw trouble(path, "a question too long");
  return netstring(payload);
}

/** The fields of an answer, undefined for "none". Throws Trouble. */
export function fieldsOf(path: string, answer: string): string[] | undefined {
  const rest = answer.slice(1);
  switch (answer[0]) {
    case "F": {
      const fields = nulFields(rest);
      if (!fields) throw trouble(path, "an answer without end");
      return fields;
    }
    case "N":
      return undefined;
    case "T":
      throw new Trouble(rest);
    default:
      throw trouble(path, "an answer that is none");
  }
}
