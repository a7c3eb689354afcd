import { args, calledAs, print, run } from "@qmail-mysql/process";
import { OK } from "@qmail-mysql/trouble";

export interface Program {
  /** The exit code for trouble. */
  readonly soft: number;
  /** Does --version, as its only argument, print the version? */
  readonly hasVersion: boolean;
}

declare const VERSION: string; // of package.json: scripts/bundle.js

/** Runs the program whose `main` this is. scripts/entry.js writes the caller for each program. */
export async function start(
  main: (args: readonly string[]) => number | Promise<number>,
  { soft, hasVersion }: Program,
): Promise<never> {
  return run(
    calledAs(),
    () => {
      const own = args();
      if (!hasVersion || own.length !== 1 || own[0] !== "--version") return main(own);
      print(`${VERSION}\n`);
      return OK;
    },
    soft,
  );
}
