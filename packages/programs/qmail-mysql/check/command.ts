import type { Command } from "commander";
import type { Context } from "../context.ts";
import { jsonArray, printable } from "../output/table.ts";
import { check } from "./check.ts";
import type { Problem } from "./problem.ts";

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
      let count = 0;
      const out = options.json ? jsonArray(context.print) : undefined;
      await check(context.home, (problem) => {
        count++;
        if (out) out.add(problem);
        else context.print(spelt(problem, context.bold));
      });
      if (out) out.end();
      else
        context.print(
          count === 0 ? "all is well\n" : `${count} ${count === 1 ? "problem" : "problems"} found\n`,
        );
      found(count);
    });
}

function spelt({ what, problem, fix }: Problem, bold: (text: string) => string): string {
  return `${bold(printable(what))}: ${printable(problem)}\n    fix: ${printable(fix)}\n`;
}
