import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CdbError, type CdbReader, cdbReader } from "@qmail-mysql/cdb";

/** The data of the record of a key; undefined if there is none. */
export type FindRule = (key: string) => string | undefined;

const MAX_SIZE = 256 << 20; // bytes; a rules file is a few kilobytes

/** Opens the current rules file. Throws an error with errno if it cannot be read or is not a cdb. */
export type OpenRules = (file: string) => FindRule;

/**
 * Opens the file for every connection, so that a new one takes effect at once; its contents are cached while it is the
 * same file.
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

/** The error of tcpserver for a file that is not a cdb. */
function sound<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CdbError) throw Object.assign(new Error(error.message), { code: "EPROTO" });
    throw error;
  }
}

function readWhole(fd: number, size: number): Buffer {
  if (size === 0) throw Object.assign(new Error("empty"), { code: "EINVAL" }); // as mmap in tcpserver
  if (size > MAX_SIZE) throw Object.assign(new Error("too large"), { code: "EFBIG" });
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const n = readSync(fd, bytes, at, size - at, at);
    if (n === 0) throw Object.assign(new Error("truncated"), { code: "EPROTO" });
    at += n;
  }
  return bytes;
}
