import { statSync } from "node:fs";
import { dirname } from "node:path";
import { reason } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

export interface HomeState {
  /** Why mail cannot be delivered or read there; undefined when all is well, as far as we may look. */
  readonly problem?: string;
  readonly fix?: string;
}

const MAILDIR = ["tmp", "new", "cur"];

/** Can a mailbox's home and Maildir be used? The rules of qmail-getpw and of qmail-local. */
export function homeState(home: string, uid: number, gid: number): HomeState {
  const chown = `chown -R ${uid}:${gid} ${home}`;
  const problem = (text: string, fix: string): HomeState => ({ problem: text, fix });
  if (uid === 0) return problem("its uid is 0, which is never used", "give it a uid of its own");
  if (gid === 0) return problem("its gid is 0, which is never used", "give it a gid of its own");
  const closed = uid > 0 && home.startsWith("/") ? unsearchable(dirname(home), uid, gid) : undefined;
  if (closed) return problem(`${closed} is not searchable by ${uid}:${gid}`, `chmod o+x ${closed}`);
  const dir = look(home);
  if (typeof dir === "string")
    return problem(`home ${home}: ${dir}`, `install -d -m 700 -o ${uid} -g ${gid} ${home}`);
  if (!dir.isDirectory()) return problem(`home ${home} is not a directory`, "another home");
  if (dir.uid !== uid)
    return problem(`home ${home} is owned by uid ${dir.uid}, not by its uid ${uid}`, chown);
  if (dir.mode & 0o002) return problem(`home ${home} is world-writable`, `chmod o-w ${home}`);
  const maildir = look(`${home}/Maildir`);
  if (typeof maildir === "string") return {}; // mail may go to an mbox, or where .qmail says
  for (const path of [`${home}/Maildir`, ...MAILDIR.map((sub) => `${home}/Maildir/${sub}`)]) {
    const here = look(path);
    if (typeof here === "string") return problem(`${path}: ${here}`, `maildirmake as uid ${uid}`);
    if (here.uid !== uid) return problem(`${path} is owned by uid ${here.uid}, not by its uid ${uid}`, chown);
  }
  return {};
}

/** The first directory on the way to `path`, itself included, that uid:gid may not search; as far as we may look. */
function unsearchable(path: string, uid: number, gid: number): string | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  for (let n = 1; n <= parts.length; n++) {
    const dir = `/${parts.slice(0, n).join("/")}`;
    const stat = look(dir);
    if (typeof stat === "string" || !stat.isDirectory()) return undefined; // another complaint
    const bit = stat.uid === uid ? 0o100 : stat.gid === gid ? 0o010 : 0o001;
    if ((stat.mode & bit) === 0) return dir;
  }
  return undefined;
}

function look(path: string) {
  try {
    return statSync(toBuffer(path));
  } catch (error) {
    return reason(error);
  }
}
