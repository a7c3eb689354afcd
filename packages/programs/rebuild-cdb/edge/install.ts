import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Die, HARD } from "@qmail-mysql/trouble";
import type { Made } from "../context.ts";
import { isIntact, originOf } from "./generated.ts";
import { copyFile, filesEqual, syncDirectory } from "./replacement.ts";

export interface Permission {
  /** Permits that a table that had rows has none. */
  readonly allowEmpty: boolean;
  /** Permits that a file written or edited by others is replaced; a copy is kept. */
  readonly overwrite: boolean;
}

/**
 * Installs the new files that differ from the existing ones. All are synced before the first old file is replaced.
 * Returns the paths that changed. Throws Die if a file that was not written by this program would be lost.
 */
export function install(made: readonly Made[], permission: Permission): string[] {
  const tables = made.map((table) => ({
    ...table,
    files: [table.cdb, table.text].filter((file) => file?.differs()),
  }));
  const kept: (() => void)[] = [];
  for (const table of tables) {
    if (table.files.includes(table.text)) kept.push(...keep(table, permission));
  }
  const files = tables.flatMap((table) => table.files.filter((file) => file !== undefined));
  for (const file of files) file.settle();
  for (const copy of kept) copy();
  for (const file of files) file.commit();
  for (const directory of new Set(files.map((file) => dirname(file.path)))) syncDirectory(directory);
  return files.map((file) => file.path);
}

/** The files to copy before the text of the table is replaced. */
function keep({ text, cdb, source, rows }: Made, permission: Permission): (() => void)[] {
  const { path } = text;
  const refuse = (why: string): never => {
    throw new Die(HARD, `unable to replace ${path}: ${why}`);
  };
  const saved = (file: string, why: string): (() => void)[] =>
    permission.overwrite
      ? [() => copyFile(file, `${file}.saved`)]
      : refuse(`${why}: move what you need to ${source.local}, then use --overwrite`);
  const origin = originOf(path);
  switch (origin.kind) {
    case "absent":
      return cdb && existsSync(cdb.path) ? saved(cdb.path, `${cdb.path} is there without it`) : [];
    case "theirs":
      if (source.adopts) return [() => copyFile(path, source.local)];
      // Already copied by a run that did not finish.
      return filesEqual(path, source.local) ? [] : saved(path, "rebuild-cdb did not write it");
    case "edited":
      return saved(path, "it was edited after rebuild-cdb wrote it");
    case "ours":
      if (!isIntact(path, origin.sha256)) return saved(path, "it was edited after rebuild-cdb wrote it");
      if (rows === 0 && origin.rows > 0 && !permission.allowEmpty) {
        refuse(
          `the database has no rows for it, and had ${origin.rows}: if so it shall be, use --allow-empty`,
        );
      }
      return [];
  }
}
