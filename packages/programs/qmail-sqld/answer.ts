import type { Statement } from "@qmail-mysql/store";
import { BATCH, fillUp, type Row, type Served, servedByName, type Value } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { nulEnded, nulFields, toText } from "@qmail-mysql/wire";
import type { Cache, Keep } from "./cache.ts";

/** An answer as it goes over the socket: F and fields, N, or T and why. */
export type Answer = string;

export const NONE: Answer = "N";

export function found(fields: readonly (string | number)[]): Answer {
  return `F${nulEnded(fields)}`;
}

export function trouble(why: string): Answer {
  return `T${why}`;
}

/** A question that is none of the protocol's: its client gets the answer, and then nothing any more. */
export class Misasked extends Error {}

/** The uid of who asks. Throws Trouble when that cannot be told. */
export type Peer = () => number;

/** What answers a question that is not one of the store's statements. */
export type Special = (fields: readonly string[], peer: Peer) => Answer | Promise<Answer>;

/**
 * Answers a question: one of the store's statements from the cache or the database, or a special one. The
 * answer is Trouble's message when there is trouble. Throws Misasked.
 */
export function answerer(
  specials: Readonly<Record<string, Special>>,
  cache: Cache<Answer>,
  keep: Keep,
  query: (statement: Statement, values: readonly Value[]) => Promise<Row[]>,
  limit: number,
): (payload: string, peer: Peer) => Answer | Promise<Answer> {
  return (payload, peer) => {
    const [name = "", ...fields] = nulFields(payload) ?? [];
    const special = Object.hasOwn(specials, name) ? specials[name] : undefined;
    if (special) return guarded(() => special(fields, peer));
    const entry = servedByName(name);
    if (!entry) throw new Misasked("unable to answer: no such question");
    const wanted = entry.statement.split("?").length - 1;
    const right = entry.names ? fields.length >= 1 && fields.length <= BATCH : fields.length === wanted;
    if (!right) throw new Misasked(`unable to answer ${name}: a wrong number of fields`);
    const texts = fields.map(toText);
    // What is not UTF-8 is in no table.
    const values = entry.names ? texts.filter((text) => text !== undefined) : texts;
    if (values.length === 0 || values.includes(undefined)) return NONE;
    const all = entry.names ? fillUp(values as string[]) : (values as string[]);
    return guarded(() =>
      cache.get(payload, keep, async () => rowsAnswer(await query(entry.statement, all), entry, limit)),
    );
  };
}

function rowsAnswer(rows: readonly Row[], { columns }: Served, limit: number): Answer {
  if (rows.length === 0) return NONE;
  const values = rows.flatMap((row) => columns.map((column) => row[column] ?? ""));
  if (values.some((value) => value.includes("\0"))) {
    throw new Trouble("MySQL misconfiguration: a row with a NUL in it");
  }
  const answer = found(values);
  if (answer.length > limit) throw new Trouble("unable to answer: more rows than an answer may have");
  return answer;
}

function guarded(get: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
  try {
    const answer = get();
    return typeof answer === "string" ? answer : answer.catch(toTrouble);
  } catch (error) {
    return toTrouble(error);
  }
}

function toTrouble(error: unknown): Answer {
  if (error instanceof Misasked) throw error;
  return trouble(error instanceof Error ? error.message : String(error));
}
