import { closeSync, existsSync, openSync, readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

/** Undefined if there is no such file. Throws with an errno. */
export const statIfPresent = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });

/** The status of a file, its name a byte string; the reason if there is none. */
export function statOrReason(path: string): Stats | string {
  try {
    return statSync(toBuffer(path));
  } catch (error) {
    return reason(error);
  }
}

/** False also if the permission to stat the file is missing. */
export const exists = (path: string | Buffer): boolean => existsSync(path);

/** The names in a directory. Throws with an errno. */
export const names = (dir: string): string[] => readdirSync(dir);

/** Reads a file as a byte string. Throws with an errno. */
export const bytesOf = (path: string): string => readFileSync(path, "latin1");

/** Creates an empty file, which is an empty database for SQLite, not readable by others; false if it exists. */
export function createPrivately(file: string): boolean {
  try {
    closeSync(openSync(file, "ax", 0o640));
    return true;
  } catch (error) {
    if (errno(error) === "EEXIST") return false;
    throw new Trouble(`unable to create ${file}: ${reason(error)}`);
  }
}
