/** Bytes that are no netstring, or one longer than was agreed: nothing after them can be understood. */
export class Garbage extends Error {}

/** `bytes` framed: length in decimal, colon, the bytes, comma. */
export function netstring(bytes: string): string {
  return `${bytes.length}:${bytes},`;
}

/**
 * Takes netstrings out of a stream, however it was cut. Holds no more than one of at most `limit` bytes, and
 * what came with it. Text is a byte string.
 */
export function netstringReader(limit: number): { push(chunk: string): string[]; holds(): boolean } {
  const digits = String(limit).length;
  let rest = "";
  return {
    /** The netstrings that `chunk` completed. Throws Garbage. */
    push(chunk) {
      rest = rest === "" ? chunk : rest + chunk;
      const whole: string[] = [];
      let from = 0;
      for (;;) {
        const colon = rest.indexOf(":", from);
        const length = rest.slice(from, colon < 0 ? from + digits + 1 : colon);
        if (colon < 0 && length === "") break;
        if (!/^(0|[1-9]\d*)$/.test(length) || length.length > digits || Number(length) > limit) {
          throw new Garbage("not a netstring, or too long a one");
        }
        if (colon < 0) break;
        const end = colon + 1 + Number(length);
        if (rest.length <= end) break;
        if (rest[end] !== ",") throw new Garbage("a netstring that does not end in a comma");
        whole.push(rest.slice(colon + 1, end));
        from = end + 1;
      }
      rest = rest.slice(from);
      return whole;
    },
    /** Is there a beginning of one whose end has not come? */
    holds: () => rest !== "",
  };
}
