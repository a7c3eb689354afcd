import { args, calledAs, print, run } from "@qmail-mysql/process";
import { OK, SOFT } from "@qmail-mysql/trouble";

export interface Program {
  /** Loads the program. */
  readonly load: () => Promise<{ main: (args: readonly string[]) => number | Promise<number> }>;
  /** The exit code for trouble. */
  readonly soft: number;
  /** Does --version, as its only argument, print the version? */
  readonly hasVersion: boolean;
}

declare const VERSION: string; // of package.json: scripts/bundle.js

/** Runs the program named by argv[0]. scripts/bundle.js generates the table from packages/programs/manifest. */
export async function start(programs: Readonly<Record<string, Program>>): Promise<never> {
  const name = calledAs();
  const program = programs[name];
  return run(
    name,
    async () => {
      if (!program) throw new Error(`unable to run ${name}: it is not a program of qmail-mysql`);
      const own = args();
      if (program.hasVersion && own.length === 1 && own[0] === "--version") {
        print(`${VERSION}\n`);
        return OK;
      }
      const { main } = await program.load();
      return main(own);
    },
    program?.soft ?? SOFT,
  );
}
