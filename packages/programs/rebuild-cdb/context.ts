import type { SqlServer } from "@qmail-mysql/control";
import type { Tables } from "@qmail-mysql/store";
import type { Replacement } from "./edge/replacement.ts";
import type { Source } from "./edge/sources.ts";
import type { Progress } from "./progress.ts";

/** What a rebuild works with. */
export interface Context {
  readonly home: string;
  readonly tables: Tables;
  readonly config: SqlServer;
  readonly trustHomes: boolean;
  readonly progress: Progress;
  readonly warn: (line: string) => void;
  /** Opens a file that is given up with all others when the rebuild fails. */
  readonly open: (path: string) => Replacement;
}

/** A table that is written and not yet in its place. */
export interface Made {
  /** Its text, and the cdb made of it. */
  readonly text: Replacement;
  readonly cdb: Replacement | undefined;
  readonly source: Source;
  /** How much of it is the database's, and how much is kept by hand. */
  readonly rows: number;
  readonly hand: number;
}
