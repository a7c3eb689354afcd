/**
 * The environment of a session: the variables about the client from tcpserver and its rules, and what is passed on to qmail-queue.
 * It belongs to the session: a process may serve many. Byte strings.
 */
export interface Environment {
  readonly get: (name: string) => string | undefined;
  readonly set: (name: string, value: string) => void;
  readonly unset: (name: string) => void;
  readonly replace: (entries: readonly string[]) => void;
  /** Every NAME=value. */
  readonly entries: () => readonly string[];
}

/** A copy of these entries, each NAME=value. As getenv(3) does, `get` finds the first of a name. */
export function environmentOf(initial: readonly string[]): Environment {
  let entries = initial;
  const without = (name: string) => entries.filter((entry) => !entry.startsWith(`${name}=`));
  return {
    get(name) {
      const { length } = name;
      for (const entry of entries) {
        if (entry[length] === "=" && entry.startsWith(name)) return entry.slice(length + 1);
      }
      return undefined;
    },
    set(name, value) {
      entries = [...without(name), `${name}=${value}`];
    },
    unset(name) {
      entries = without(name);
    },
    replace(all) {
      entries = all;
    },
    entries: () => entries,
  };
}
