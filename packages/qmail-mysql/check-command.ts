import type { Command } from "commander";
import { check } from "./check.ts";
import type { Context } from "./context.ts";
import type { Problem } from "./problem.ts";
import { json, printable } from "./table.ts";

/** check; `found` is told how many problems there are. */
export function addCheck(program: Command, context: Context, found: (problems: number) => void): void {
  program
    .command("check")
    .description("Find what is wrong with the tables, the homes, the control files, and say what mends it.")
    .option("--json", "an array of objects")
    .addHelpText(
      "after",
      `
Looks at everything and changes nothing. Run it as root, who may look into every home.
Exit status: 0 nothing is wrong, 100 something is, 111 not everything could be looked at.

Examples:
  qmail-mysql check
  qmail-mysql check --json | jq -r '.[].fix' | sort -u`,
    )
    .action(async (options: { json?: true }) => {
      const problems: Problem[] = [];
      for await (const problem of check(context.home)) {
        problems.push(problem);
        if (!options.json) context.print(spelt(problem, context.bold));
      }
      if (options.json) context.print(json(problems));
      else if (problems.length === 0) context.print("all is well\n");
      else context.print(`${problems.length} ${problems.length === 1 ? "problem" : "problems"} found\n`);
      found(problems.length);
    });
}

function spelt({ what, problem, fix }: Problem, bold: (text: string) => string): string {
  return `${bold(printable(what))}: ${printable(problem)}\n    fix: ${printable(fix)}\n`;
}
