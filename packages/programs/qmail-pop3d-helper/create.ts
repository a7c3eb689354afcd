import { existsSync, mkdirSync, renameSync, rmdirSync } from "node:fs";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

const SUBS = ["tmp", "new", "cur"];

/**
 * Makes the Maildir at `path`, or what is missing in it, for nobody but its user. It appears as a whole, by
 * rename: of two logins at once, and of a delivery meanwhile, none finds half of it. Throws Trouble.
 */
export function createMaildir(path: string): void {
  try {
    if (existsSync(toBuffer(path))) for (const sub of SUBS) make(`${path}/${sub}`);
    else createWhole(path);
  } catch (error) {
    throw new Trouble(`unable to create ${path}: ${reason(error)}`);
  }
}

function createWhole(path: string): void {
  const draft = `${path}.${process.pid}.${Date.now()}`;
  try {
    make(draft);
    for (const sub of SUBS) make(`${draft}/${sub}`);
    renameSync(toBuffer(draft), toBuffer(path)); // fails when another login came first
  } catch (error) {
    for (const sub of SUBS) discard(`${draft}/${sub}`);
    discard(draft);
    if (!["ENOTEMPTY", "EEXIST"].includes(errno(error))) throw error;
  }
}

function make(dir: string): void {
  try {
    mkdirSync(toBuffer(dir), 0o700);
  } catch (error) {
    if (errno(error) !== "EEXIST") throw error;
  }
}

function discard(dir: string): void {
  try {
    rmdirSync(toBuffer(dir));
  } catch {
    // not ours, or never made
  }
}
