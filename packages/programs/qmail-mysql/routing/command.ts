import type { Command } from "commander";
import type { Context } from "../context.ts";
import { mailboxName } from "../user/input.ts";
import { alias, domain, virtual } from "./actions.ts";
import { extension, hostName } from "./input.ts";

const JSON_OPTION = ["--json", "an array of objects"] as const;
const REBUILD =
  "\nStock qmail programs see changes after rebuild-cdb(8): run it, or keep rebuild-cdb --watch running.";

/** domain|virtual|alias add|del|list */
export function addRouting(program: Command, context: Context): void {
  const domains = program
    .command("domain")
    .description("Domains for which mail is accepted (table rcpthosts).")
    .addHelpText("after", `${REBUILD}\n\nExample:\n  qmail-mysql domain add virtual.com`);
  domains
    .command("add <host>")
    .description("Accept mail for a domain; with a leading dot, for all its subdomains.")
    .action((host: string) => domain.add(context, hostName(host)));
  domains
    .command("del <host>")
    .description("No longer accept mail for a domain. Rows of the virtual table are kept.")
    .action((host: string) => domain.del(context, hostName(host)));
  domains
    .command("list")
    .description("Domains of the tables rcpthosts and virtual.")
    .option(...JSON_OPTION)
    .action((options) => domain.list(context, options));

  const virtuals = program
    .command("virtual")
    .description("Addresses of virtual domains, and the users that control them (table virtual).")
    .addHelpText(
      "after",
      `${REBUILD}

Examples:
  qmail-mysql virtual add sales@virtual.com iain             to the mailbox iain
  qmail-mysql virtual add sales@virtual.com iain --ext sales to iain's alias or .qmail for "sales"
  qmail-mysql virtual add @virtual.com iain                  everything else there (the catch-all)`,
    );
  virtuals
    .command("add <address> <user>")
    .description("Give an address to a user; @domain is every address without a row of its own.")
    .option("--ext <ext>", "with this extension; @ for the user's alias of that name", "")
    .action((address: string, user: string, options: { ext: string }) =>
      virtual.add(context, address, mailboxName(user), options.ext),
    );
  virtuals
    .command("del <address>")
    .description("Delete the rows of an address.")
    .action((address: string) => virtual.del(context, address));
  virtuals
    .command("list [host]")
    .description("All addresses, or those of one domain.")
    .option(...JSON_OPTION)
    .action((host: string | undefined, options) =>
      virtual.list(context, host === undefined ? undefined : hostName(host), options),
    );

  const aliases = program
    .command("alias")
    .description("Delivery instructions for a user's mail (table alias), used instead of .qmail files.")
    .addHelpText(
      "after",
      `
EXT is the extension; '' is the user's own address, @ every extension without a row of its own.
INSTRUCTION is ./Maildir/, /path/to/an/mbox, |command, or an address. All rows of an address are carried out.

Examples:
  qmail-mysql alias add iain '' ./Maildir/
  qmail-mysql alias add iain lists joe@example.com
  qmail-mysql alias add virtual @ ./Maildir/
  qmail-mysql alias del iain lists joe@example.com`,
    );
  aliases
    .command("add <user> <ext> <instruction>")
    .description("Add an instruction.")
    .action((user: string, ext: string, line: string) =>
      alias.add(context, mailboxName(user), extension(ext), line),
    );
  aliases
    .command("del <user> <ext> [instruction]")
    .description("Delete one instruction, or all of them.")
    .action((user: string, ext: string, line?: string) =>
      alias.del(context, mailboxName(user), extension(ext), line),
    );
  aliases
    .command("list [user]")
    .description("All rows, or those of one user.")
    .option(...JSON_OPTION)
    .action((user: string | undefined, options) =>
      alias.list(context, user === undefined ? undefined : mailboxName(user), options),
    );
}
