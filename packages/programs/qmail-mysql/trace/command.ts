import type { FindSystemAccounts } from "@qmail-mysql/accounts";
import { aliasUser, breakChar } from "@qmail-mysql/control-files";
import { type CheckRecipient, checkRecipient } from "@qmail-mysql/recipient";
import { lookNow, recipientPorts, sqldRecipients } from "@qmail-mysql/recipient-check";
import { assignedIn, entries, recipientControls, sendControls } from "@qmail-mysql/routing-controls";
import { type AnySqld, sqldPath } from "@qmail-mysql/sqld-client";
import { openSite, storeOver } from "@qmail-mysql/store";
import { HARD, Usage } from "@qmail-mysql/trouble";
import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { rememberedAccounts } from "../edge/accounts.ts";
import { whyUnaskable } from "../edge/database-access.ts";
import { ROOT, withIdsOf } from "../edge/effective-ids.ts";
import { installation } from "../edge/running.ts";
import { json, jsonArray, printable } from "../output/table.ts";
import type { Trace } from "./notes.ts";
import { type TracePorts, trace } from "./trace.ts";

const MAX_ADDRESS = 900; // bytes: the limit of qmail-smtpd

interface Options {
  readonly json?: true;
  readonly defaultDelivery?: string;
  readonly lspawn?: "ours" | "stock";
}

/** trace user@host... */
export function addTrace(program: Command, context: Context): void {
  program
    .command("trace <address...>")
    .description(
      "Follow addresses through qmail: the decision of each program, and the row or file it is based on.",
    )
    .option("--json", "an object; an array of them for several addresses")
    .option(
      "--default-delivery <line>",
      "default: the argument of the running qmail-lspawn, else control/defaultdelivery, else ./Mailbox",
    )
    .addOption(
      new Option("--lspawn <which>", "which qmail-lspawn delivers; default: the running one").choices([
        "ours",
        "stock",
      ]),
    )
    .addHelpText(
      "after",
      `
Nothing is delivered, sent or run. Run it as root: it reads with the access rights of each program's account.

Examples:
  qmail-mysql trace sales@virtual.com
  qmail-mysql trace sales@virtual.com --json | jq -r .outcome`,
    )
    .action((addresses: string[], options: Options) => traceAll(context, addresses, options));
}

async function traceAll(context: Context, addresses: readonly string[], options: Options): Promise<void> {
  for (const address of addresses) {
    if (address === "" || address.length > MAX_ADDRESS || /[\0\n]/.test(address)) {
      throw new Usage(
        HARD,
        `ADDRESS: expected one such as sales@virtual.com, of at most ${MAX_ADDRESS} bytes`,
      );
    }
  }
  await withPorts(context, options, async (ports) => {
    const out = addresses.length > 1 && options.json ? jsonArray(context.print) : undefined;
    for (const address of addresses) {
      const traced = await trace(address, ports);
      if (out) out.add(traced);
      else if (options.json) context.print(json(traced));
      else context.print(`${addresses.length > 1 ? `${address}\n` : ""}${lines(traced, context.bold)}`);
    }
    out?.end();
  });
}

function withPorts(context: Context, options: Options, use: (ports: TracePorts) => Promise<void>) {
  const { home } = context;
  return context.withDatabase(
    "resident",
    async (database, config) => {
      const site = sqldPath(home) === undefined ? undefined : await openSite(home, "qmail-mysql", true);
      const found = installation(home, config.timeout);
      const findSystemAccounts = rememberedAccounts(config.timeout);
      const store = site?.store ?? storeOver(database, config.funkyQueries);
      const settings = site?.settings ?? config;
      const fallback = entries(`${home}/control/defaultdelivery`)?.join("\n") || "./Mailbox";
      try {
        await use({
          home,
          settings: { ...settings, breakChar: breakChar(), aliasUser: aliasUser() },
          database,
          store,
          controls: sendControls(home),
          installed: { ...found, lspawn: options.lspawn ?? found.lspawn },
          defaultDelivery: options.defaultDelivery ?? found.defaultDelivery ?? fallback,
          findSystemAccounts,
          checkRecipient: await recipientCheck(home, { store, settings }, findSystemAccounts, site?.sqld),
          assigned: (local) => assignedIn(home, local),
          whyUnaskable: () => whyUnaskable(home, config),
        });
      } finally {
        await site?.store.close();
      }
    },
    "as mail",
  );
}

const SMTPD_ACCOUNT = "qmaild"; // conf-users of qmail

/** The verdict of qmail-sqld; without it that of a program which runs as qmail-smtpd does. */
async function recipientCheck(
  home: string,
  lookups: Parameters<typeof recipientPorts>[1],
  findSystemAccounts: FindSystemAccounts,
  sqld: AnySqld | undefined,
): Promise<CheckRecipient> {
  if (sqld) return sqldRecipients(sqld);
  const [account = ROOT] = await findSystemAccounts([SMTPD_ACCOUNT]);
  const ports = {
    ...recipientPorts(home, lookups, findSystemAccounts, () => recipientControls(home)),
    look: async (path: string) => withIdsOf(account, () => lookNow(path)),
  };
  return (request) => checkRecipient(request, ports);
}

const ENDS: Readonly<Record<Trace["outcome"], string>> = {
  delivered: "delivered as above",
  remote: "sent to another host",
  bounces: "bounced",
  waits: "deferred: it waits in the queue",
};

function lines(traced: Trace, bold: (text: string) => string): string {
  const { steps, outcome, forwards } = traced;
  const width = Math.max(...steps.map((step) => step.stage.length));
  const indent = " ".repeat(width + 2);
  const text = steps.map(({ stage, decision, by }) =>
    `${bold(stage.padEnd(width))}  ${printable(decision)}\n${by === "" ? "" : `${indent}by ${printable(by)}\n`}`.replace(
      `${indent}by fix:`,
      `${indent}fix:`,
    ),
  );
  const next = forwards.map((one) => `\nforwarded to ${printable(one.address)}\n${lines(one, bold)}`);
  return `${text.join("")}${bold("so".padEnd(width))}  ${ENDS[outcome]}\n${next.join("")}`;
}
