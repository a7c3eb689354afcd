import type { Value } from "@qmail-mysql/database";
import { isOurs } from "@qmail-mysql/socket";
import { Trouble } from "@qmail-mysql/trouble";
import { netstring, nulEnded, nulFields } from "@qmail-mysql/wire";

/** Maximum bytes of a question and of a response: qmail-sqld-protocol(7). */
export const QUESTION_LIMIT = 16_384;
export const ANSWER_LIMIT = 1_048_576;

/**
 * The versions of the protocol, as lines in the settings of qmail-sqld; version 1 has no such line. With version 2 the
 * client of a login is given, with version 3 the service as well; version 4 has checkRecipient.
 */
export const PROTOCOLS = {
  client: "protocol 2",
  service: "protocol 3",
  recipients: "protocol 4",
} as const;

/** Time limit for a login in seconds: hashes are queued, so it may be longer than the timeout of the database. */
export const loginSeconds = (timeout: number) => Math.max(timeout, 30);

/** Seconds that an answer may take beyond qmail-sqld's own limit. */
export const GRACE = 1;

/** A client of qmail-sqld. */
export interface Sqld {
  /** Returns the fields of the response, undefined for "none". Throws Trouble, also after `seconds`. */
  ask(question: string, fields: readonly Value[], seconds: number): Promise<string[] | undefined>;
  /** Closes the connection after the last outstanding response. */
  close(): void;
}

export const trouble = (path: string, why: string) =>
  new Trouble(`unable to ask qmail-sqld at ${path}: ${why}`);

/**
 * Throws unless the listening process runs as root, our own account or the owner of the socket's directory: its
 * responses decide which account a root process becomes.
 */
export function checkListener(listener: number | undefined, owner: number): void {
  if (listener === undefined || listener === owner || isOurs(listener)) return;
  throw new Error(`it runs as uid ${listener}, and its directory belongs to uid ${owner}`);
}

/** The bytes of a question. Throws Trouble. */
export function questionOf(path: string, question: string, fields: readonly Value[]): string {
  const payload = nulEnded([question, ...fields]);
  if (payload.length > QUESTION_LIMIT) throw trouble(path, "the question is too long");
  return netstring(payload);
}

/** The fields of a response, undefined for "none". Throws Trouble. */
export function fieldsOf(path: string, answer: string): string[] | undefined {
  const rest = answer.slice(1);
  switch (answer[0]) {
    case "F": {
      const fields = nulFields(rest);
      if (!fields) throw trouble(path, "a response without end");
      return fields;
    }
    case "N":
      return undefined;
    case "T":
      throw new Trouble(rest);
    default:
      throw trouble(path, "an invalid response");
  }
}
