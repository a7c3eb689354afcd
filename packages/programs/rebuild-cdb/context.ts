import type { SqlServer } from "@qmail-mysql/control";
import type { Tables } from "@qmail-mysql/store";
import type { Replacement } from "./edge/replacement.ts";
import type { Source } from "./edge/sources.ts";
import type { Progress } from "./progress.ts";

/** The environment of a rebuild. */
export interface Context {
  readonly home: string;
  readonly tables: Tables;
  readonly config: SqlServer;
  readonly trustHomes: boolean;
  readonly progress: Progress;
  readonly warn: (line: string) => void;
  /** Opens a replacement; all are discarded if the rebuild fails. */
  readonly open: (path: string) => Replacement;
}

/** A table that is written but not yet installed. */
export interface Made {
  /** Its text and the cdb built from it. */
  readonly text: Replacement;
  readonly cdb: Replacement | undefined;
  readonly source: Source;
  /** The number of its rows from the database and of its edited lines. */
  readonly rows: number;
  readonly hand: number;
}
