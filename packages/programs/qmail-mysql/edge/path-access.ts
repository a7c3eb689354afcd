import { dirname } from "node:path";
import { word } from "../output/shell.ts";
import type { Identity } from "./effective-ids.ts";
import { statOrReason } from "./files.ts";

/** What is wrong with a file or directory; empty if no problem was found. */
export interface Finding {
  readonly problem?: string;
  /** The command that corrects it. */
  readonly fix?: string;
}

/** The first directory of `path`, itself included, that uid:gid may not search, as far as this process can stat it. */
export function unsearchable(path: string, { uid, gid }: Identity): string | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  for (let n = 1; n <= parts.length; n++) {
    const dir = `/${parts.slice(0, n).join("/")}`;
    const stat = statOrReason(dir);
    if (typeof stat === "string" || !stat.isDirectory()) return undefined; // a different problem, reported elsewhere
    const bit = stat.uid === uid ? 0o100 : stat.gid === gid ? 0o010 : 0o001;
    if ((stat.mode & bit) === 0) return dir;
  }
  return undefined;
}

/** Why `who` cannot open `path`: the directory or the file that prevents it. */
export function unopenable(path: string, who: Identity, mode: "r" | "rw"): Finding {
  const closed = unsearchable(dirname(path), who);
  if (closed)
    return { problem: `${closed} is not searchable by uid ${who.uid}`, fix: `chmod o+x ${word(closed)}` };
  const stat = statOrReason(path);
  if (typeof stat === "string") return { problem: `${path}: ${stat}` };
  const wanted = mode === "r" ? 0o4 : 0o6;
  const shift = stat.uid === who.uid ? 6 : (who.groups ?? [who.gid]).includes(stat.gid) ? 3 : 0;
  return ((stat.mode >> shift) & wanted) === wanted
    ? {}
    : { problem: `${path} is not ${mode === "r" ? "readable" : "open"} to uid ${who.uid}` };
}
