import { type Arguments, columns, type Question } from "@qmail-mysql/database";

/** How the arguments of a question are sent over the socket: qmail-sqld-protocol(7). */
export interface SocketQuestion<A extends readonly string[] = readonly string[]> {
  /** Each value is a name of its own, so an invalid one can be left out. */
  readonly areNames?: true;
  /** The fields of one or more questions on the socket. */
  fields(values: A): readonly string[][];
  /** The inverse, for qmail-sqld; undefined if the number of fields is wrong. */
  values(fields: readonly string[]): A | undefined;
}

const NAMES = 8; // per question
const ALIASES = 4;

/** Lots of `n`. A loop: a program of one question pays for the first use of Array.from (bench/PROFILE.md). */
function lots(values: readonly string[], n: number): string[][] {
  const all: string[][] = [];
  for (let at = 0; at < values.length; at += n) all.push(values.slice(at, at + n));
  return all;
}

const names: SocketQuestion = {
  areNames: true,
  fields: (values) =>
    lots(
      values.filter((name, i) => values.indexOf(name) === i),
      NAMES,
    ),
  values: (fields) => (fields.length >= 1 && fields.length <= NAMES ? fields : undefined),
};

/** The protocol has exactly four aliases; fewer are filled by repeating one. */
const aliases: SocketQuestion<Arguments["findAliases"]> = {
  fields: ([user, ...all]) =>
    lots(all, ALIASES).map((lot) => {
      while (lot.length < ALIASES) lot.push(lot[0] ?? "");
      return [user, ...lot];
    }),
  values: ([user, ...all]) => (user !== undefined && all.length === ALIASES ? [user, ...all] : undefined),
};

const address: SocketQuestion<Arguments["findVirtual"]> = {
  fields: (values) => [[...values]],
  values: ([host, local, ...rest]) =>
    host !== undefined && local !== undefined && rest.length === 0 ? [host, local] : undefined,
};

/** The protocol's third field is the blank local part of the catch-all. */
const addressAndBlank: SocketQuestion<Arguments["findVirtual"]> = {
  fields: (values) => [[...values, ""]],
  values: ([host, local, blank, ...rest]) =>
    host !== undefined && local !== undefined && blank !== undefined && rest.length === 0
      ? [host, local]
      : undefined,
};

/** All questions that may be asked over the socket. None returns a password or changes a row. */
export const socketQuestions = {
  findMailboxes: names,
  findAliases: aliases,
  findAliasRows: aliases,
  findVirtual: addressAndBlank,
  findVirtualHosts: names,
  findFunkyVirtual: address,
  findFunkyHosts: names,
} as const satisfies { readonly [Q in Question]?: SocketQuestion<Arguments[Q]> };

export function isSocketQuestion(name: string): name is keyof typeof socketQuestions {
  return Object.hasOwn(socketQuestions, name);
}

/** The columns of the rows in a response, in the order of the protocol. */
export const socketColumns = (question: keyof typeof socketQuestions): readonly string[] => columns[question];
