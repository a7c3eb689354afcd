import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { toBuffer } from "@qmail-mysql/wire";
import { makeMaildir, word } from "../output/shell.ts";
import type { Identity } from "./effective-ids.ts";
import { statOrReason } from "./files.ts";
import { type Finding, unsearchable } from "./path-access.ts";

const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;
const OWNER_ALL = 0o700;

/**
 * Why mail cannot be delivered to a mailbox's home, its Maildir and its .qmail files by the rules of qmail-getpw and
 * qmail-local, as far as this process can see. `others` must be able to reach the home, too: the account of qmail-getpw.
 */
export function homeState(home: string, uid: number, gid: number, others: readonly Identity[] = []): Finding {
  const problem = (text: string, fix: string): Finding => ({ problem: text, fix });
  const chown = `chown -R ${uid}:${gid} ${word(home)}`;
  if (uid === 0) return problem("its uid is 0, which is never used", "give it a uid of its own");
  if (gid === 0) return problem("its gid is 0, which is never used", "give it a gid of its own");
  for (const who of home.startsWith("/") && uid > 0 ? [{ uid, gid }, ...others] : []) {
    const closed = unsearchable(dirname(home), who);
    if (closed)
      return problem(`${closed} is not searchable by ${who.uid}:${who.gid}`, `chmod o+x ${word(closed)}`);
  }
  const dir = statOrReason(home);
  if (typeof dir === "string")
    return problem(`home ${home}: ${dir}`, makeMaildir(`${home}/Maildir`, uid, gid, [home]));
  if (!dir.isDirectory())
    return problem(`home ${home} is not a directory`, `mv ${word(home)} ${word(`${home}.file`)}`);
  if (dir.uid !== uid)
    return problem(`home ${home} is owned by uid ${dir.uid}, not by its uid ${uid}`, chown);
  if (dir.mode & OTHERS_WRITE) return problem(`home ${home} is world-writable`, `chmod o-w ${word(home)}`);
  if (dir.mode & STICKY)
    return problem(`home ${home} is sticky: its mail waits until that is undone`, `chmod -t ${word(home)}`);
  if ((dir.mode & OWNER_ALL) !== OWNER_ALL)
    return problem(`home ${home} is closed to its owner`, `chmod u+rwx ${word(home)}`);
  return maildirState(home, uid, gid) ?? dotQmailState(home, uid) ?? {};
}

/** Undefined also if there is no Maildir: mail may go to an mbox, or where .qmail directs it. */
function maildirState(home: string, uid: number, gid: number): Finding | undefined {
  const maildir = `${home}/Maildir`;
  if (typeof statOrReason(maildir) === "string") return undefined;
  for (const path of [maildir, ...["tmp", "new", "cur"].map((sub) => `${maildir}/${sub}`)]) {
    const here = statOrReason(path);
    if (typeof here === "string") return { problem: `${path}: ${here}`, fix: makeMaildir(maildir, uid, gid) };
    if (!here.isDirectory())
      return { problem: `${path} is not a directory`, fix: `mv ${word(path)} ${word(`${path}.file`)}` };
    if (here.uid !== uid) {
      const problem = `${path} is owned by uid ${here.uid}, not by its uid ${uid}`;
      return { problem, fix: `chown -R ${uid}:${gid} ${word(home)}` };
    }
    if ((here.mode & OWNER_ALL) !== OWNER_ALL)
      return { problem: `${path} is closed to its owner`, fix: `chmod u+rwx ${word(path)}` };
  }
  return undefined;
}

function dotQmailState(home: string, uid: number): Finding | undefined {
  for (const path of dotQmailFiles(home)) {
    const stat = statOrReason(path);
    if (typeof stat === "string" || !stat.isFile()) continue;
    if (stat.mode & OTHERS_WRITE)
      return { problem: `${path} is world-writable: its mail waits`, fix: `chmod o-w ${word(path)}` };
    const readable = stat.uid === uid ? stat.mode & 0o400 : stat.mode & 0o004;
    if (!readable) {
      const fix = `chown ${uid} ${word(path)}; chmod u+r ${word(path)}`;
      return { problem: `${path} is not readable by uid ${uid}: its mail waits`, fix };
    }
  }
  return undefined;
}

function dotQmailFiles(home: string): string[] {
  try {
    return readdirSync(toBuffer(home), "buffer")
      .map((name) => `${home}/${name.toString("latin1")}`)
      .filter((path) => path.includes("/.qmail", home.length));
  } catch {
    return [];
  }
}
