import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CdbError, type CdbReader, cdbReader } from "@qmail-mysql/cdb";

/** The data of the record of a key; undefined: there is none. */
export type FindRule = (key: string) => string | undefined;

const MAX_SIZE = 256 << 20; // bytes; a rules file is a few kilobytes

/** A rules file as it is now. Throws an error with errno when it cannot be read or is no cdb. */
export type OpenRules = (file: string) => FindRule;

/**
 * Opens the file anew for every connection, so that a renamed one counts at once; its bytes are kept for as
 * long as it is the very same file.
 */
export function rulesReader(): OpenRules {
  let kept: { readonly identity: string; readonly cdb: CdbReader } | undefined;
  return (file) => {
    const fd = openSync(file, "r");
    try {
      const stat = fstatSync(fd, { bigint: true });
      const identity = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join();
      if (kept?.identity !== identity) {
        const bytes = readWhole(fd, Number(stat.size));
        const cdb = sound(() => cdbReader((at, length) => bytes.subarray(at, at + length), bytes.length));
        kept = { identity, cdb };
      }
    } finally {
      closeSync(fd);
    }
    const { cdb } = kept;
    return (key) => {
      const data = sound(() => cdb.get(key));
      return data && Buffer.from(data).toString("latin1");
    };
  };
}

/** What tcpserver says of a file that is no cdb. */
function sound<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CdbError) throw Object.assign(new Error(error.message), { code: "EPROTO" });
    throw error;
  }
}

function readWhole(fd: number, size: number): Buffer {
  if (size === 0) throw Object.assign(new Error("empty"), { code: "EINVAL" }); // what tcpserver's mmap says
  if (size > MAX_SIZE) throw Object.assign(new Error("too large"), { code: "EFBIG" });
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const n = readSync(fd, bytes, at, size - at, at);
    if (n === 0) throw Object.assign(new Error("truncated"), { code: "EPROTO" });
    at += n;
  }
  return bytes;
}
