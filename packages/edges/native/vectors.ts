/** What execve wants: NUL-ended strings and the vector that points to them. Good until the next is made. */
export interface Vector {
  readonly pointers: Uint32Array;
  readonly bytes: Buffer;
}

export type MakeVector = (strings: readonly string[]) => Vector;

const WORD = 2 ** 32;

/**
 * Makes one vector after the other in the same place, and writes only what differs from the one before: of a
 * server's environments that is the last few strings.
 */
export function vectors(addressOf: (bytes: Buffer) => number): MakeVector {
  let bytes = Buffer.alloc(0);
  let pointers = new Uint32Array(0); // each pointer as two halves, little-endian
  let address = 0;
  let before: readonly string[] = [];
  const starts = [0]; // of each string, and of what comes after the last

  return (strings) => {
    const size = strings.reduce((sum, s) => sum + s.length + 1, 0);
    if (size > bytes.length || 2 * (strings.length + 1) > pointers.length) {
      bytes = Buffer.alloc(2 * size);
      pointers = new Uint32Array(4 * (strings.length + 1));
      address = addressOf(bytes);
      before = [];
    }
    let same = 0;
    while (same < strings.length && strings[same] === before[same]) same++;
    let at = starts[same] as number;
    bytes.write(`${strings.slice(same).join("\0")}\0`, at, "latin1");
    for (let i = same; i < strings.length; i++) {
      pointers[2 * i] = (address + at) % WORD;
      pointers[2 * i + 1] = (address + at) / WORD;
      at += (strings[i] as string).length + 1;
      starts[i + 1] = at;
    }
    pointers.fill(0, 2 * strings.length, 2 * strings.length + 2);
    before = strings;
    return { pointers, bytes };
  };
}
