const FIRST = 64; // messages for which there is room at the beginning
const NAME = 40; // bytes of a usual name in a Maildir
const SAFE = 2 ** 53; // integers below it are exact

/**
 * The messages of a Maildir at the beginning of a session: about 30 bytes and the name for each, since a Maildir may hold
 * hundreds of thousands. Their numbers, from 0, are valid when `sort` has been called.
 */
export class Messages {
  #count = 0;
  #names = Buffer.allocUnsafeSlow(FIRST * NAME);
  #ends = new Uint32Array(FIRST); // of the names
  #mtimes = new Float64Array(FIRST);
  #sizes = new Float64Array(FIRST);
  #isNew = new Uint8Array(FIRST);
  #order = new Uint32Array(0);

  get count(): number {
    return this.#count;
  }

  /** Adds a file of new/ or cur/; its name are the bytes of `source` from `start` to `end`, its time is in seconds. */
  add(source: Buffer, start: number, end: number, isNew: boolean, mtime: number, size: number): void {
    const i = this.#count;
    if (i === this.#ends.length) this.#grow();
    const from = i === 0 ? 0 : (this.#ends[i - 1] as number);
    const to = from + end - start;
    if (to > this.#names.length) {
      const more = Buffer.allocUnsafeSlow(Math.max(to, this.#names.length * 2));
      this.#names.copy(more, 0, 0, from);
      this.#names = more;
    }
    source.copy(this.#names, from, start, end);
    this.#ends[i] = to;
    this.#mtimes[i] = mtime;
    this.#sizes[i] = size;
    this.#isNew[i] = Number(isNew);
    this.#count++;
  }

  /** Orders them by age, oldest first; within a second by name, so that the numbers are the same in every session. */
  sort(): void {
    const count = this.#count;
    const mtimes = this.#mtimes.subarray(0, count);
    const byTime = sortedByTime(mtimes);
    for (let from = 0; from < count; ) {
      let to = from + 1;
      while (to < count && mtimes[byTime[to] as number] === mtimes[byTime[from] as number]) to++;
      if (to - from > 1) byTime.subarray(from, to).sort((a, b) => this.#compareNames(a, b));
      from = to;
    }
    this.#order = byTime;
  }

  /** Its file name, a byte string. */
  name(number: number): string {
    const i = this.#order[number] as number;
    return this.#names.toString("latin1", i === 0 ? 0 : this.#ends[i - 1], this.#ends[i]);
  }

  /** Is it in new/? */
  isNew(number: number): boolean {
    return this.#isNew[this.#order[number] as number] === 1;
  }

  /** Bytes of the file, as reported by LIST and STAT. */
  size(number: number): number {
    return this.#sizes[this.#order[number] as number] as number;
  }

  #compareNames(a: number, b: number): number {
    const start = (i: number) => (i === 0 ? 0 : (this.#ends[i - 1] as number));
    return this.#names.compare(this.#names, start(b), this.#ends[b], start(a), this.#ends[a]);
  }

  #grow(): void {
    const length = this.#ends.length * 2;
    const grown = <T extends Uint32Array | Float64Array | Uint8Array>(more: T, old: T): T => {
      more.set(old);
      return more;
    };
    this.#ends = grown(new Uint32Array(length), this.#ends);
    this.#mtimes = grown(new Float64Array(length), this.#mtimes);
    this.#sizes = grown(new Float64Array(length), this.#sizes);
    this.#isNew = grown(new Uint8Array(length), this.#isNew);
  }
}

/** The indices of the times, in their order: sorted as numbers, time and index in one, without calls of a function. */
function sortedByTime(mtimes: Float64Array): Uint32Array<ArrayBuffer> {
  const count = mtimes.length;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const mtime of mtimes) {
    if (mtime < least) least = mtime;
    if (mtime > most) most = mtime;
  }
  if ((most - least + 1) * count >= SAFE) {
    const indices = new Uint32Array(count).map((_, i) => i);
    return indices.sort((a, b) => (mtimes[a] as number) - (mtimes[b] as number));
  }
  const keys = mtimes.map((mtime, i) => (mtime - least) * count + i).sort();
  return new Uint32Array(keys.map((key) => key % count));
}
