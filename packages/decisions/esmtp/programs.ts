import type { Environment, Maybe } from "@qmail-mysql/smtp";

/** What a program did that a site has added. */
export interface ProgramEnd {
  /** What it wrote to descriptor 1, if that was asked for. */
  readonly output: string;
  /** Its exit code, or why there is none. */
  readonly code: number | "crashed" | "not executed" | "no process";
}

/** Port: runs a program in the qmail home; one that begins with a colon is a line for /bin/sh. */
export type RunProgram = (
  program: string,
  environment: Environment,
  variables: Variables,
) => Maybe<ProgramEnd>;

/** Variables for this program alone. */
export type Variables = Readonly<Record<string, string>>;
