import { type CdbReader, cdbReader } from "@qmail-mysql/cdb";
import { nodeFs, openToRead } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";

/**
 * Opens control/morercpthosts.cdb, if it exists, and returns whether it has a key. Throws an error if it cannot be
 * opened, and at the first key if it is not a cdb, as in qmail.
 */
export function moreRcptHosts(file: string): (key: string) => boolean {
  let fd: number;
  try {
    fd = openToRead(file);
  } catch (error) {
    if (errno(error) === "ENOENT") return () => false;
    throw error;
  }
  let cdb: CdbReader | undefined;
  return (key) => {
    cdb ??= readerOf(fd);
    return cdb.get(key) !== undefined;
  };
}

function readerOf(fd: number): CdbReader {
  const { fstatSync, readSync } = nodeFs();
  const readAt = (position: number, length: number) => {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
  };
  return cdbReader(readAt, fstatSync(fd).size);
}
