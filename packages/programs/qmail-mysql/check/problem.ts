/** Something that is wrong, and what mends it. */
export interface Problem {
  /** The row, file or directory. */
  readonly what: string;
  readonly problem: string;
  readonly fix: string;
}
