import { closeSync, constants, openSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Instruction } from "@qmail-mysql/dotqmail";
import { errno, reason } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import { makeMaildir, word } from "../output/shell.ts";
import { type Identity, mayChange } from "./effective-ids.ts";
import { statOrReason } from "./files.ts";

/** Why a delivery to a Maildir or an mbox would fail, and the command that corrects it. */
export interface Obstacle {
  readonly why: string;
  readonly fix: string;
}

/**
 * Checks with the effective ids, from the current directory, which is `home`; undefined if a delivery would succeed.
 * Programs and forwards are not checked.
 */
export function obstacle(instruction: Instruction, home: string, user: Identity): Obstacle | undefined {
  if (instruction.kind === "maildir") return maildirObstacle(instruction.name, home, user);
  if (instruction.kind === "mbox") return mboxObstacle(instruction.name, home, user);
  return undefined;
}

const own = ({ uid, gid }: Identity, path: string): string =>
  `chown ${uid}:${gid} ${word(path)}; chmod u+rwX ${word(path)}`;

function maildirObstacle(dir: string, home: string, user: Identity): Obstacle | undefined {
  for (const path of [`${dir}tmp`, `${dir}new`]) {
    const stat = statOrReason(path);
    if (typeof stat === "string")
      return { why: `${path}: ${stat}`, fix: makeMaildir(resolve(home, dir), user.uid, user.gid) };
    if (!stat.isDirectory())
      return { why: `${path}: not a directory`, fix: `rm ${word(resolve(home, path))}` };
    if (!mayChange(stat)) return { why: `${path}: access denied`, fix: own(user, resolve(home, path)) };
  }
  return undefined;
}

function mboxObstacle(file: string, home: string, user: Identity): Obstacle | undefined {
  const path = resolve(home, file);
  const above = resolve(path, "..");
  try {
    const stat = statSync(toBuffer(file));
    if (stat.isDirectory()) {
      return {
        why: `${file}: is a directory; a Maildir's name ends with a slash`,
        fix: `rmdir ${word(path)}`,
      };
    }
    if (!stat.isFile()) return undefined; // opening a pipe or a device may have an effect
    closeSync(openSync(toBuffer(file), constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK));
    return undefined;
  } catch (error) {
    if (errno(error) !== "ENOENT") return { why: `${file}: ${reason(error)}`, fix: own(user, path) };
  }
  const dir = statOrReason(above);
  if (typeof dir === "string")
    return {
      why: `${above}: ${dir}`,
      fix: `install -d -m 700 -o ${user.uid} -g ${user.gid} ${word(above)}`,
    };
  return mayChange(dir) ? undefined : { why: `${above}: access denied`, fix: own(user, above) };
}
