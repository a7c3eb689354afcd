/** A queue that takes from its owners in turn, and from the names of an owner in turn (round robin). */
export interface FairQueue<T> {
  /**
   * Adds an item. If there are too many then, drops and returns one: of the owner with the most items, of its name with
   * the most, the newest.
   */
  push(owner: string, name: string, item: T): T | undefined;
  /** Takes the oldest item of the next name of the next owner. */
  next(): T | undefined;
  readonly size: number;
}

interface Owner<T> {
  /** In the order of their turns; none is empty. */
  readonly names: Map<string, T[]>;
  size: number;
}

/** A queue of at most `limit` items. */
export function openFairQueue<T>(limit: number): FairQueue<T> {
  const owners = new Map<string, Owner<T>>(); // in the order of their turns; none is empty
  let size = 0;

  function took(id: string, owner: Owner<T>, name: string, items: readonly T[]): void {
    if (items.length === 0) owner.names.delete(name);
    if (--owner.size === 0) owners.delete(id);
    size--;
  }

  function dropNewest(): T | undefined {
    const largest = most(owners, (owner) => owner.size);
    const longest = largest && most(largest[1].names, (items) => items.length);
    if (!largest || !longest) return undefined;
    const item = longest[1].pop();
    took(...largest, ...longest);
    return item;
  }

  return {
    push(id, name, item) {
      const owner = owners.get(id) ?? { names: new Map<string, T[]>(), size: 0 };
      owners.set(id, owner);
      const items = owner.names.get(name);
      if (items) items.push(item);
      else owner.names.set(name, [item]);
      owner.size++;
      size++;
      return size > limit ? dropNewest() : undefined;
    },
    next() {
      const [first] = owners;
      const [named] = first?.[1].names ?? [];
      if (!first || !named) return undefined;
      const [id, owner] = first;
      const [name, items] = named;
      owners.delete(id);
      owners.set(id, owner);
      owner.names.delete(name);
      owner.names.set(name, items);
      const item = items.shift();
      took(id, owner, name, items);
      return item;
    },
    get size() {
      return size;
    },
  };
}

/** The last of the entries with the highest figure. */
function most<T>(entries: ReadonlyMap<string, T>, figure: (value: T) => number): [string, T] | undefined {
  let highest: [string, T] | undefined;
  for (const entry of entries) {
    if (!highest || figure(entry[1]) >= figure(highest[1])) highest = entry;
  }
  return highest;
}
