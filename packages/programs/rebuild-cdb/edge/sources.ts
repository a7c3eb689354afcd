import { existsSync } from "node:fs";
import { fileLines } from "@qmail-mysql/control-files";
import { isMark, originOf } from "./generated.ts";

/** What an administrator keeps by hand for a target, and where it is. */
export interface Source {
  /** TARGET.local. */
  readonly local: string;
  /** The file to read: local, or a target that somebody else wrote before there was a local. */
  readonly path: string;
  /** The target is the source, and has to become local before it is replaced. */
  readonly adopts: boolean;
  readonly exists: boolean;
}

export function sourceOf(target: string): Source {
  const local = `${target}.local`;
  if (existsSync(local)) return { local, path: local, adopts: false, exists: true };
  const adopts = originOf(target).kind === "theirs";
  return { local, path: adopts ? target : local, adopts, exists: adopts };
}

/** The lines of a source as they are, but for what we ourselves once wrote into it. */
export function* handLines(source: Source): Generator<string> {
  for (const line of fileLines(source.path)) if (!isMark(line)) yield line;
}
