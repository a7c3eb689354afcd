import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { findInCdb } from "./cdb.ts";

/** Answers the data of a record of the rules file. */
export type FindRule = (key: string) => string | undefined;

const MAX_SIZE = 256 << 20; // bytes; a rules file is a few kilobytes

/** A rules file as it is now. Throws an error with errno when it cannot be read or is no cdb. */
export type OpenRules = (file: string) => FindRule;

/**
 * Opens the file anew for every connection, so that a renamed one counts at once; its bytes are kept for as
 * long as it is the very same file.
 */
export function rulesReader(): OpenRules {
  let kept: { readonly identity: string; readonly bytes: Buffer } | undefined;
  return (file) => {
    const fd = openSync(file, "r");
    try {
      const stat = fstatSync(fd, { bigint: true });
      const identity = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join();
      if (kept?.identity !== identity) kept = { identity, bytes: readWhole(fd, Number(stat.size)) };
    } finally {
      closeSync(fd);
    }
    const { bytes } = kept;
    return (key) => findInCdb(bytes, key);
  };
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
