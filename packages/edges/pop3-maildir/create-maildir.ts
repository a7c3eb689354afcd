import { existsSync, mkdirSync, renameSync, rmdirSync } from "node:fs";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

const SUBS = ["tmp", "new", "cur"];

/**
 * Creates the Maildir at `path`, or its missing directories, with mode 0700. A new one is renamed into place when it is
 * complete, so that concurrent logins and deliveries never find an incomplete one. Throws Trouble after removing what
 * it has created.
 */
export function createMaildir(path: string): void {
  const made: string[] = [];
  const make = (dir: string) => {
    mkdirSync(toBuffer(dir), 0o700);
    made.push(dir);
  };
  try {
    if (existsSync(toBuffer(path))) complete(path, make);
    else createWhole(path, make);
  } catch (error) {
    for (const dir of made.reverse()) discard(dir);
    if (errno(error) === "ENOTEMPTY" || errno(error) === "EEXIST") return; // another login was faster
    throw new Trouble(`unable to create ${path}: ${reason(error)}`);
  }
}

type Make = (dir: string) => void;

function complete(path: string, make: Make): void {
  for (const sub of SUBS) unlessThere(() => make(`${path}/${sub}`));
}

function createWhole(path: string, make: Make): void {
  const draft = `${path}.${process.pid}.${Date.now()}`;
  for (const dir of [draft, ...SUBS.map((sub) => `${draft}/${sub}`)]) make(dir);
  renameSync(toBuffer(draft), toBuffer(path));
}

/** Ignores EEXIST: another login or a delivery agent may have been faster. */
function unlessThere(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (errno(error) !== "EEXIST") throw error;
  }
}

function discard(dir: string): void {
  try {
    rmdirSync(toBuffer(dir));
  } catch {
    // it is kept if another process has created something in it
  }
}
