import { calledAs } from "@qmail-mysql/process";

/** Runs the program named by argv[0] by loading its file. `programs` is written by scripts/entry.js. */
export async function load(programs: Readonly<Record<string, () => Promise<unknown>>>): Promise<void> {
  const program = programs[calledAs()];
  if (program) await program();
  else await (await import("./unknown.ts")).unknown();
}
