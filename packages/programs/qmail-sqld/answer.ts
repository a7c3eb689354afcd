import type { Ask, Row } from "@qmail-mysql/database";
import {
  isSocketQuestion,
  type SocketQuestion,
  socketColumns,
  socketQuestions,
} from "@qmail-mysql/sqld-client";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { nulEnded, nulFields, toText } from "@qmail-mysql/wire";
import type { Cache, Keep } from "./cache.ts";
import { invalidRow } from "./invalid-rows.ts";
import type { Watch } from "./watch.ts";

/** An answer as sent over the socket: F and fields, N, or T and the reason: qmail-sqld-protocol(7). */
export type Answer = string;

export const NONE: Answer = "N";

export function found(fields: readonly (string | number)[]): Answer {
  return `F${nulEnded(fields)}`;
}

export function trouble(why: string): Answer {
  return `T${why}`;
}

/** A question that violates the protocol. The connection is closed after the answer. */
export class InvalidQuestion extends Error {}

/** The uid of the client. Throws Trouble if it is unknown. */
export type Peer = () => number;

/** Answers a question that is not a lookup in the tables of mailboxes, aliases and virtual addresses. */
export type Special = (fields: readonly string[], peer: Peer) => Answer | Promise<Answer>;

/** What is needed to answer questions. */
export interface AnswerWorld {
  readonly specials: Readonly<Record<string, Special>>;
  readonly cache: Cache<Answer>;
  readonly keep: Keep;
  readonly ask: Ask;
  readonly funkyQueries: boolean;
  readonly watch: Pick<Watch, "answered" | "invalid">;
  /** Maximum bytes of an answer. */
  readonly limit: number;
}

/**
 * Answers a question: a lookup from the cache or the database, or one of `specials`. An error becomes an answer T,
 * except for InvalidQuestion, which is thrown.
 */
export function answerer(world: AnswerWorld): (payload: string, peer: Peer) => Answer | Promise<Answer> {
  const { specials, cache, keep, watch } = world;
  return (payload, peer) => {
    const [name = "", ...fields] = nulFields(payload) ?? [];
    const special = Object.hasOwn(specials, name) ? specials[name] : undefined;
    if (special) return guarded(watch, () => special(fields, peer));
    if (!isSocketQuestion(name)) throw new InvalidQuestion("unable to answer: no such question");
    const question: SocketQuestion = socketQuestions[name];
    const values = question.values(fields);
    if (!values) throw new InvalidQuestion(`unable to answer ${name}: a wrong number of fields`);
    // A value that is not UTF-8 cannot be in a table.
    const texts = values.map(toText).filter((text) => text !== undefined);
    if (texts.length === 0 || (!question.areNames && texts.length < values.length)) return NONE;
    return guarded(watch, () =>
      cache.get(payload, keep, async () => {
        const rows = await world.ask(name, texts as [string, string]);
        const why = invalidRow(name, fields, rows, world.funkyQueries);
        if (why !== undefined) watch.invalid(why);
        return rowsAnswer(rows, socketColumns(name), world.limit);
      }),
    );
  };
}

function rowsAnswer(rows: readonly Row[], columns: readonly string[], limit: number): Answer {
  if (rows.length === 0) return NONE;
  const values = rows.flatMap((row) => columns.map((column) => row[column] ?? ""));
  if (values.some((value) => value.includes("\0"))) {
    throw new Trouble("MySQL misconfiguration: a row with a NUL in it");
  }
  const answer = found(values);
  if (answer.length > limit) throw new Trouble("unable to answer: more rows than an answer may have");
  return answer;
}

function guarded(
  watch: Pick<Watch, "answered">,
  get: () => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const toTrouble = (error: unknown): Answer => {
    if (error instanceof InvalidQuestion) throw error;
    watch.answered(error);
    return trouble(reason(error));
  };
  try {
    const answer = get();
    return typeof answer === "string" ? answer : answer.catch(toTrouble);
  } catch (error) {
    return toTrouble(error);
  }
}
