import { cdbHash } from "@qmail-mysql/cdb";

/** A set of names with 8 bytes per name; with a probability of about 2^-40 it reports a name that is not in it. */
export interface NameSet {
  add(name: string): void;
  has(name: string): boolean;
}

/** For a million names, for which a Set of strings would take 100 MB. */
export function nameSet(): NameSet {
  let slots = new Uint32Array(2 * 1024);
  let count = 0;
  /** The slot of a pair of hashes, or the free slot for it. */
  const find = (a: number, b: number): number => {
    const mask = slots.length / 2 - 1;
    let at = Math.imul(a ^ (b >>> 15), 0x9e3779b1); // mixed, since names with the same end have similar hashes
    for (at = (at ^ (at >>> 15)) & mask; ; at = (at + 1) & mask) {
      const first = slots[2 * at];
      const second = slots[2 * at + 1];
      if ((first === a && second === b) || (first === 0 && second === 0)) return 2 * at;
    }
  };
  const put = (a: number, b: number) => {
    const at = find(a, b);
    if (slots[at] === 0 && slots[at + 1] === 0) count++;
    slots[at] = a;
    slots[at + 1] = b;
  };
  return {
    add(name) {
      put(cdbHash(name), otherHash(name));
      if (count <= slots.length / 4) return;
      const old = slots;
      slots = new Uint32Array(2 * old.length);
      count = 0;
      for (let at = 0; at < old.length; at += 2) {
        const [a = 0, b = 0] = [old[at], old[at + 1]];
        if (a !== 0 || b !== 0) put(a, b);
      }
    },
    has(name) {
      const at = find(cdbHash(name), otherHash(name));
      return slots[at] !== 0 || slots[at + 1] !== 0;
    },
  };
}

/** FNV-1a, never 0. */
function otherHash(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0 || 1;
}
