/** The data of the first record with `key` (byte strings) in a cdb; cdb(5). Throws EPROTO on what is no cdb. */
export function findInCdb(cdb: Buffer, key: string): string | undefined {
  let hash = 5381;
  for (let i = 0; i < key.length; i++) hash = ((((hash << 5) + hash) | 0) ^ key.charCodeAt(i)) >>> 0;
  const table = uint32(cdb, (hash & 255) * 8);
  const slots = uint32(cdb, (hash & 255) * 8 + 4);
  for (let probe = 0; probe < slots; probe++) {
    const slot = table + (((hash >>> 8) + probe) % slots) * 8;
    const record = uint32(cdb, slot + 4);
    if (record === 0) return undefined;
    if (uint32(cdb, slot) !== hash || uint32(cdb, record) !== key.length) continue;
    const data = record + 8 + key.length;
    if (slice(cdb, record + 8, key.length) === key) return slice(cdb, data, uint32(cdb, record + 4));
  }
  return undefined;
}

function uint32(cdb: Buffer, at: number): number {
  if (at + 4 > cdb.length) protocolError();
  return cdb.readUInt32LE(at);
}

function slice(cdb: Buffer, at: number, length: number): string {
  if (at + length > cdb.length) protocolError();
  return cdb.toString("latin1", at, at + length);
}

function protocolError(): never {
  throw Object.assign(new Error("not a cdb"), { code: "EPROTO" });
}
