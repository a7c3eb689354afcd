import { accessSync, constants, readlinkSync, statSync } from "node:fs";
import type { Seen } from "@qmail-mysql/pop3/diagnose";
import { errno } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

/** The Inspect port over stat(2), readlink(2) and access(2). */
export function inspect(path: string): Seen {
  const file = toBuffer(path);
  const may = (mode: number): boolean => {
    try {
      accessSync(file, mode);
      return true;
    } catch {
      return false;
    }
  };
  const target = link(file);
  try {
    const stat = statSync(file);
    return {
      isDirectory: stat.isDirectory(),
      ...(target !== undefined && { link: target }),
      uid: stat.uid,
      gid: stat.gid,
      mode: stat.mode & 0o7777,
      may: { read: may(constants.R_OK), write: may(constants.W_OK), search: may(constants.X_OK) },
    };
  } catch (error) {
    const nothing = { read: false, write: false, search: false };
    return {
      failure: errno(error),
      isDirectory: false,
      ...(target !== undefined && { link: target }),
      uid: -1,
      gid: -1,
      mode: 0,
      may: nothing,
    };
  }
}

function link(file: Buffer): string | undefined {
  try {
    return readlinkSync(file, "buffer").toString("latin1");
  } catch {
    return undefined; // not a symbolic link
  }
}
