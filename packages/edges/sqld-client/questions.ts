import { type Arguments, columns, type Question } from "@qmail-mysql/database";

/** A question as qmail-sqld-protocol(7) has it: its values in the fields of one or more questions on the socket. */
export interface SocketQuestion<A extends readonly string[] = readonly string[]> {
  /** Each of its values is a name by itself: one that cannot be in a table does not spoil the others. */
  readonly areNames?: true;
  fields(values: A): readonly string[][];
  /** The other way round, for qmail-sqld; undefined when the number of fields is wrong. */
  values(fields: readonly string[]): A | undefined;
}

const NAMES = 8; // of one question
const ALIASES = 4;

const names: SocketQuestion = {
  areNames: true,
  fields: (values) => {
    const all = [...new Set(values)];
    return Array.from({ length: Math.ceil(all.length / NAMES) }, (_, i) =>
      all.slice(i * NAMES, (i + 1) * NAMES),
    );
  },
  values: (fields) => (fields.length >= 1 && fields.length <= NAMES ? fields : undefined),
};

/** The protocol has exactly four aliases: fewer repeat one. */
const aliases: SocketQuestion<Arguments["findAliases"]> = {
  fields: ([user, ...all]) =>
    Array.from({ length: Math.ceil(all.length / ALIASES) }, (_, i) => {
      const four = Array.from({ length: ALIASES }, (_, j) => all[i * ALIASES + j] ?? all[i * ALIASES] ?? "");
      return [user, ...four];
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

/** Those that may be asked over the socket, and no other: none of them gives a password or changes a row. */
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

/** The columns of an answer's rows, in the order in which they go over the socket. */
export const socketColumns = (question: keyof typeof socketQuestions): readonly string[] => columns[question];
