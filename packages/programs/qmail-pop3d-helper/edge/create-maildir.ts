import { existsSync, mkdirSync, renameSync, rmdirSync } from "node:fs";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

const SUBS = ["tmp", "new", "cur"];

/**
 * Makes the Maildir at `path`, or what is missing in it, for nobody but its user. It appears as a whole, by
 * rename: of two logins at once, and of a delivery meanwhile, none finds half of it. Throws Trouble, and then
 * nothing is left of what was made.
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
    if (errno(error) === "ENOTEMPTY" || errno(error) === "EEXIST") return; // another login came first
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

/** Another login, or a delivery agent, may have come first. */
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
    // somebody has put something into it: it stays
  }
}
