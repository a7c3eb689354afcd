import { HARD, Usage } from "@qmail-mysql/trouble";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { entries } from "../edge/controls.ts";
import { json, printable } from "../output/table.ts";
import { type Trace, trace } from "./trace.ts";

const MAX_ADDRESS = 900; // bytes: qmail-smtpd takes no longer one

/** trace user@host */
export function addTrace(program: Command, context: Context): void {
  program
    .command("trace <address>")
    .description("Follow an address through qmail, step by step: who decides what, by which row or file.")
    .option("--json", "an object")
    .option(
      "--default-delivery <line>",
      "what qmail-start was told; else control/defaultdelivery, else ./Mailbox",
    )
    .addHelpText(
      "after",
      `
Nothing is delivered, sent or run. Run it as root: .qmail files are their users' own.

Examples:
  qmail-mysql trace sales@virtual.com
  qmail-mysql trace sales@virtual.com --json | jq -r .outcome`,
    )
    .action(async (address: string, options: { json?: true; defaultDelivery?: string }) => {
      if (address === "" || address.length > MAX_ADDRESS || /[\0\n]/.test(address)) {
        throw new Usage(
          HARD,
          `ADDRESS: expected one such as sales@virtual.com, of at most ${MAX_ADDRESS} bytes`,
        );
      }
      const fallback = entries(`${context.home}/control/defaultdelivery`)?.join("\n") || "./Mailbox";
      const traced = await context.withDatabase(
        "resident",
        (database, config) =>
          trace(address, context.home, database, config, options.defaultDelivery ?? fallback),
        "as mail",
      );
      context.print(options.json ? json(traced) : lines(traced, context.bold));
    });
}

const ENDS: Readonly<Record<Trace["outcome"], string>> = {
  delivered: "delivered as above",
  remote: "sent to another host",
  bounces: "bounced",
  waits: "deferred: it waits in the queue",
};

function lines({ steps, outcome }: Trace, bold: (text: string) => string): string {
  const width = Math.max(...steps.map((step) => step.stage.length));
  const indent = " ".repeat(width + 2);
  const text = steps.map(({ stage, decision, by }) =>
    `${bold(stage.padEnd(width))}  ${printable(decision)}\n${by === "" ? "" : `${indent}by ${printable(by)}\n`}`.replace(
      `${indent}by fix:`,
      `${indent}fix:`,
    ),
  );
  return `${text.join("")}${bold("so".padEnd(width))}  ${ENDS[outcome]}\n`;
}
