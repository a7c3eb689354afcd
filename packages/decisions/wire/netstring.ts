/** Invalid bytes, or a netstring above the limit: what follows them cannot be parsed. */
export class Garbage extends Error {}

/** `bytes` as a netstring: length in decimal, colon, the bytes, comma. */
export function netstring(bytes: string): string {
  return `${bytes.length}:${bytes},`;
}

export interface NetstringReader {
  /** Adds bytes and returns every complete netstring. Throws Garbage. */
  push(chunk: string): string[];
  /** Adds bytes for `next`. */
  add(chunk: string): void;
  /** Returns the next netstring; undefined until it is complete. Throws Garbage. */
  next(): string | undefined;
  /** Number of bytes added and not yet returned. */
  held(): number;
}

/** Extracts netstrings of at most `limit` bytes from a stream, however it is divided. Strings are byte strings. */
export function netstringReader(limit: number): NetstringReader {
  const digits = String(limit).length;
  let rest = "";
  let from = 0; // the beginning of what is not yet returned
  const add = (chunk: string) => {
    rest = from === rest.length ? chunk : rest.slice(from) + chunk;
    from = 0;
  };
  const next = () => {
    const colon = rest.indexOf(":", from);
    const length = rest.slice(from, colon < 0 ? from + digits + 1 : colon);
    if (colon < 0 && length === "") return undefined;
    if (!/^(0|[1-9]\d*)$/.test(length) || length.length > digits || Number(length) > limit) {
      throw new Garbage("not a netstring, or too long a one");
    }
    if (colon < 0) return undefined;
    const end = colon + 1 + Number(length);
    if (rest.length <= end) return undefined;
    if (rest[end] !== ",") throw new Garbage("a netstring that does not end in a comma");
    from = end + 1;
    return rest.slice(colon + 1, end);
  };
  return {
    add,
    next,
    held: () => rest.length - from,
    push(chunk) {
      add(chunk);
      const whole: string[] = [];
      for (let one = next(); one !== undefined; one = next()) whole.push(one);
      return whole;
    },
  };
}
