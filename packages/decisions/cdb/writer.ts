import { type Bytes, cdbHash, HEADER } from "./hash.ts";

/** Writes the next bytes of the file. The chunk is overwritten after the call. */
export type Sink = (chunk: Uint8Array) => void;

export interface CdbWriter {
  /** Adds a record. Keys may be empty. Of records with the same key, readers find the first. */
  add(key: Bytes, data: Bytes): void;
  /** Writes the tables and returns the header, to be written at the beginning of the file. The last call. */
  finish(): Uint8Array;
}

/** The records do not fit: positions in a cdb are 32-bit numbers. */
export class CdbTooBig extends Error {}

const LIMIT = 2 ** 32 - 1; // the highest position in the file
const CHUNK = 1 << 18; // bytes passed to the sink at a time
const RECORD_OVERHEAD = 8 + 16; // bytes: two lengths before the record, two slots in its table
const SMALL = 64; // bytes up to which a loop is faster than a call of Buffer
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/**
 * Writes a cdb to `sink`: space for the header, then each record when it is added, the tables last. It keeps 8 bytes
 * per record in memory. The file is identical to the one that tinycdb's `cdb -c` makes.
 */
export function cdbWriter(sink: Sink): CdbWriter {
  const chunk = new Uint8Array(CHUNK);
  const view = new DataView(chunk.buffer);
  let used = 0;
  let position = HEADER;
  let count = 0;
  let hashes = new Uint32Array(1024);
  let positions = new Uint32Array(1024);
  const perTable = new Uint32Array(256);

  const flush = () => {
    if (used > 0) sink(chunk.subarray(0, used));
    used = 0;
  };
  const room = (bytes: number) => {
    if (used + bytes > CHUNK) flush();
  };
  const put = (bytes: Bytes) => {
    const { length } = bytes;
    if (length > CHUNK) {
      flush();
      sink(typeof bytes === "string" ? latin1(bytes) : bytes);
      return;
    }
    room(length);
    if (typeof bytes !== "string") chunk.set(bytes, used);
    else if (length > SMALL) chunk.set(latin1(bytes), used);
    else for (let i = 0; i < length; i++) chunk[used + i] = bytes.charCodeAt(i);
    used += length;
  };

  sink(new Uint8Array(HEADER));
  return {
    add(key, data) {
      const end = position + 8 + key.length + data.length;
      if (end + 16 * (count + 1) > LIMIT) {
        throw new CdbTooBig(
          `record ${count + 1} does not fit: a cdb ends at 4 GiB, ${RECORD_OVERHEAD} bytes a record included`,
        );
      }
      room(8);
      view.setUint32(used, key.length, true);
      view.setUint32(used + 4, data.length, true);
      used += 8;
      put(key);
      put(data);
      const hash = cdbHash(key);
      if (count === hashes.length) {
        hashes = grown(hashes);
        positions = grown(positions);
      }
      hashes[count] = hash;
      positions[count] = position;
      perTable[hash & 255] = (perTable[hash & 255] ?? 0) + 1;
      count++;
      position = end;
    },
    finish() {
      const header = new Uint8Array(HEADER);
      const headerView = new DataView(header.buffer);
      const sorted = byTable(hashes, positions, count, perTable);
      let from = 0;
      for (let table = 0; table < 256; table++) {
        const records = perTable[table] ?? 0;
        const slots = slotsOf(sorted.subarray(2 * from, 2 * (from + records)));
        headerView.setUint32(8 * table, position, true);
        headerView.setUint32(8 * table + 4, slots.length / 2, true);
        if (!LITTLE_ENDIAN) swapBytes(slots);
        put(new Uint8Array(slots.buffer));
        position += 4 * slots.length;
        from += records;
      }
      flush();
      return header;
    },
  };
}

/** Pairs of hash and position, grouped by table, in the order in which they were added. */
function byTable(hashes: Uint32Array, positions: Uint32Array, count: number, perTable: Uint32Array) {
  const next = new Uint32Array(256);
  for (let table = 1; table < 256; table++) next[table] = (next[table - 1] ?? 0) + (perTable[table - 1] ?? 0);
  const sorted = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const hash = hashes[i] as number;
    const at = next[hash & 255] as number;
    sorted[2 * at] = hash;
    sorted[2 * at + 1] = positions[i] as number;
    next[hash & 255] = at + 1;
  }
  return sorted;
}

/** The slots of a table: twice as many as records, each pair in the slot of its hash or the next free one. */
function slotsOf(pairs: Uint32Array): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(2 * pairs.length);
  for (let i = 0; i < pairs.length; i += 2) {
    const hash = pairs[i] as number;
    let at = (hash >>> 8) % pairs.length;
    while (slots[2 * at + 1] !== 0) at = at + 1 === pairs.length ? 0 : at + 1;
    slots[2 * at] = hash;
    slots[2 * at + 1] = pairs[i + 1] as number;
  }
  return slots;
}

function swapBytes(words: Uint32Array): void {
  const view = new DataView(words.buffer);
  words.forEach((word, i) => {
    view.setUint32(4 * i, word, true);
  });
}

function grown(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(2 * array.length);
  bigger.set(array);
  return bigger;
}

function latin1(bytes: string): Uint8Array {
  return Buffer.from(bytes, "latin1");
}
