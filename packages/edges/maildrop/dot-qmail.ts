import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { type DotQmail, temporary } from "@qmail-mysql/delivery";
import { chdir } from "@qmail-mysql/process";
import { errno, isTemporary, reason } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

const OTHERS_WRITE = 0o002; // conf-patrn
const OWNER_RUNS = 0o100;
const LIMIT = 16 << 20; // bytes of one .qmail file

const cannotOpen = (file: string, error: unknown) =>
  temporary(`Unable to open ${file}: ${reason(error)}. (#4.3.0)`);

/** Makes a user's home the current directory; returns its mode. Throws Failure. */
export function enterHome(home: string): number {
  try {
    chdir(home);
  } catch (error) {
    throw temporary(`Unable to switch to ${home}: ${reason(error)}. (#4.3.0)`);
  }
  try {
    return statSync(".").mode;
  } catch (error) {
    throw temporary(`Unable to stat home directory: ${reason(error)}. (#4.3.0)`);
  }
}

/** A .qmail file of the current directory; undefined if there is no such regular file. Throws Failure. */
export function dotQmail(file: string): DotQmail | undefined {
  let fd: number;
  try {
    fd = openSync(toBuffer(file), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isTemporary(error) || ["EPERM", "EACCES"].includes(errno(error))) throw cannotOpen(file, error);
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    if (stat.mode & OTHERS_WRITE) throw temporary("Uh-oh: .qmail file is writable. (#4.7.0)");
    if (stat.size > LIMIT) throw temporary(`Unable to use ${file}: longer than ${LIMIT} bytes. (#4.3.0)`);
    return { text: readText(fd, stat.size), executable: (stat.mode & OWNER_RUNS) !== 0 };
  } finally {
    closeSync(fd);
  }
}

function readText(fd: number, size: number): string {
  const text = Buffer.alloc(size);
  let length = 0;
  for (let n = -1; n !== 0 && length < size; length += n) n = readSync(fd, text, length, size - length, null);
  return text.toString("latin1", 0, length);
}

/** Does this file exist? Throws Failure on a temporary error. */
export function exists(file: string): boolean {
  try {
    statSync(toBuffer(file));
    return true;
  } catch (error) {
    if (isTemporary(error)) throw cannotOpen(file, error);
    return false;
  }
}
