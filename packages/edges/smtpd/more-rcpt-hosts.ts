import { type CdbReader, cdbReader } from "@qmail-mysql/cdb";
import { closeFd, nodeFs, openToRead } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";

export interface MoreRcptHosts {
  /** Throws an error if it is not a cdb, as in qmail. */
  has(key: string): boolean;
  close(): void;
}

/** Opens control/morercpthosts.cdb, if it exists. Throws an error if it cannot be opened. */
export function moreRcptHosts(file: string): MoreRcptHosts {
  let fd: number;
  try {
    fd = openToRead(file);
  } catch (error) {
    if (errno(error) === "ENOENT") return NO_MORE;
    throw error;
  }
  let cdb: CdbReader | undefined;
  return {
    has(key) {
      cdb ??= readerOf(fd);
      return cdb.get(key) !== undefined;
    },
    close: () => closeFd(fd),
  };
}

const NO_MORE: MoreRcptHosts = { has: () => false, close: () => {} };

function readerOf(fd: number): CdbReader {
  const { fstatSync, readSync } = nodeFs();
  const readAt = (position: number, length: number) => {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
  };
  return cdbReader(readAt, fstatSync(fd).size);
}
