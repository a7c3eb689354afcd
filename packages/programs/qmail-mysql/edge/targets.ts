import { closeSync, constants, openSync, type Stats, statSync } from "node:fs";
import type { Instruction } from "@qmail-mysql/dotqmail";
import { errno, reason } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import { mayChange } from "./eyes.ts";

/**
 * Why a Maildir or an mbox would not take a message, as the effective ids see it from the current directory;
 * undefined when it would. Programs and forwards are not looked at.
 */
export function whyUndeliverable(instruction: Instruction): string | undefined {
  if (instruction.kind === "maildir") return whyNoMaildir(instruction.name);
  if (instruction.kind === "mbox") return whyNoMbox(instruction.name);
  return undefined;
}

function look(path: string): Stats | string {
  try {
    return statSync(toBuffer(path));
  } catch (error) {
    return reason(error);
  }
}

function whyNoMaildir(dir: string): string | undefined {
  for (const path of [`${dir}tmp`, `${dir}new`]) {
    const stat = look(path);
    if (typeof stat === "string") return `${path}: ${stat}`;
    if (!stat.isDirectory()) return `${path}: not a directory`;
    if (!mayChange(stat)) return `${path}: access denied`;
  }
  return undefined;
}

function whyNoMbox(file: string): string | undefined {
  const slash = file.lastIndexOf("/");
  const above = slash < 0 ? "." : file.slice(0, slash) || "/";
  try {
    const stat = statSync(toBuffer(file));
    if (stat.isDirectory()) return `${file}: is a directory`;
    if (!stat.isFile()) return undefined; // to open a pipe or a device could be noticed
    closeSync(openSync(toBuffer(file), constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK));
    return undefined;
  } catch (error) {
    if (errno(error) !== "ENOENT") return `${file}: ${reason(error)}`;
  }
  const dir = look(above);
  if (typeof dir === "string") return `${above}: ${dir}`;
  return mayChange(dir) ? undefined : `${above}: access denied`;
}
