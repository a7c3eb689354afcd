import type { Command } from "commander";
import type { Context } from "../context.ts";
import { jsonArray, printable } from "../output/table.ts";
import { check } from "./check.ts";
import type { Problem } from "./rows/problem.ts";

/** check; calls `found` with the number of problems. */
export function addCheck(program: Command, context: Context, found: (problems: number) => void): void {
  program
    .command("check")
    .description("Report errors in tables, homes and control files, each with a command that corrects it.")
    .option("--json", "an array of objects")
    .addHelpText(
      "after",
      `
Checks everything and changes nothing. Run it as root, since it has to read every home.
Exit status: 0 no problem, 100 problems found, 111 not everything could be checked.

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
