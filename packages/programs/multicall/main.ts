import { args, calledAs, run } from "@qmail-mysql/process";
import { SOFT } from "@qmail-mysql/trouble";

export interface Program {
  /** Each program is loaded only when it is the one called. */
  readonly load: () => Promise<{ main: (args: readonly string[]) => number | Promise<number> }>;
  /** The exit code for trouble. */
  readonly soft: number;
}

/** Runs the program that we are called as. scripts/bundle.js makes the table from packages/programs/manifest. */
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
