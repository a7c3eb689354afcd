import { existsSync } from "node:fs";
import { fileLines } from "@qmail-mysql/control-files";
import { isMark, originOf } from "./generated.ts";

/** The file that the administrator edits for a target. */
export interface Source {
  /** TARGET.local. */
  readonly local: string;
  /** The file to read: local, or if that does not exist the target, if another program wrote it. */
  readonly path: string;
  /** The target is the source, and has to be copied to local before it is replaced. */
  readonly adopts: boolean;
  readonly exists: boolean;
}

export function sourceOf(target: string): Source {
  const local = `${target}.local`;
  if (existsSync(local)) return { local, path: local, adopts: false, exists: true };
  const adopts = originOf(target).kind === "theirs";
  return { local, path: adopts ? target : local, adopts, exists: adopts };
}

/** The lines of a source, except last lines written by this program. */
export function* handLines(source: Source): Generator<string> {
  for (const line of fileLines(source.path)) if (!isMark(line)) yield line;
}
