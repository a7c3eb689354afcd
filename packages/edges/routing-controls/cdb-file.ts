import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CdbError, type CdbReader, cdbReader } from "@qmail-mysql/cdb";
import { type Assigned, findAssigned, ShortRecord } from "@qmail-mysql/routing";
import { Die, errno, QLX_CDB, QLX_USAGE, reason, Trouble } from "@qmail-mysql/trouble";

/** Calls `use` with a cdb, or with undefined if it does not exist. Throws Trouble. */
export function withCdb<T>(path: string, use: (cdb: CdbReader | undefined) => T): T {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errno(error) === "ENOENT") return use(undefined);
    throw new Trouble(`unable to read ${path}: ${reason(error)}`);
  }
  try {
    const readAt = (position: number, length: number) => {
      const bytes = Buffer.allocUnsafe(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
    };
    return use(cdbReader(readAt, fstatSync(fd).size));
  } catch (error) {
    if (!(error instanceof CdbError) && errno(error) === "") throw error;
    throw new Trouble(`unable to use ${path}: ${reason(error)}`);
  } finally {
    closeSync(fd);
  }
}

/**
 * The record of users/cdb for a local part; undefined if there is none, or no file: then qmail-lspawn runs qmail-getpw.
 * Throws Die with the status with which qmail-lspawn defers.
 */
export function assignedIn(home: string, local: string): Assigned | undefined {
  const path = `${home}/users/cdb`;
  try {
    return withCdb(
      path,
      (cdb) =>
        cdb &&
        findAssigned(local, (key) => {
          const data = cdb.get(key);
          return data && Buffer.from(data).toString("latin1");
        }),
    );
  } catch (error) {
    if (error instanceof ShortRecord) throw new Die(QLX_USAGE, error.message);
    throw new Die(
      QLX_CDB,
      error instanceof Trouble ? error.message : `unable to use ${path}: ${reason(error)}`,
    );
  }
}
