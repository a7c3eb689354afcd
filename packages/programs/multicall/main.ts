import { args, calledAs, run } from "@qmail-mysql/process";
import { SOFT } from "@qmail-mysql/trouble";

export interface Program {
  /** Loads the program. */
  readonly load: () => Promise<{ main: (args: readonly string[]) => number | Promise<number> }>;
  /** The exit code for trouble. */
  readonly soft: number;
}

/** Runs the program named by argv[0]. scripts/bundle.js generates the table from packages/programs/manifest. */
export async function start(programs: Readonly<Record<string, Program>>): Promise<never> {
  const name = calledAs();
  const program = programs[name];
  return run(
    name,
    async () => {
      if (!program) throw new Error(`unable to be ${name}: no such program here`);
      const { main } = await program.load();
      return main(args());
    },
    program?.soft ?? SOFT,
  );
}
