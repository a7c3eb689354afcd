import { type Command, Option } from "commander";
import type { Context } from "../context.ts";
import { add, del, listUsers, passwd, rename, set, setSuspended, show } from "./actions.ts";
import { gidOption, homeOption, mailboxName, typeOption, uidOption } from "./input.ts";

const PASSWORD_HELP = `
The password is asked for twice on the terminal, without echo; if descriptor 0 is not a terminal, its first
line is the password. It cannot be an argument, since every user of the machine can read arguments.

Types: crypt  crypt(3) with SHA-512 ($6$), the default: not for APOP and CRAM-MD5
       mysql  MySQL's PASSWORD() of 4.1 and later: unsalted, for programs that ask the server to compare
       plain  plain text: the only type for APOP and CRAM-MD5`;

/** user add|passwd|set|suspend|resume|del|rename|list|show */
export function addUser(program: Command, context: Context): void {
  const user = program.command("user").description("Mailboxes (table mailbox).");

  user
    .command("add <name>")
    .description("Add a mailbox.")
    .addOption(
      new Option("--uid <n>", "uid that owns the home; never 0").argParser(uidOption).makeOptionMandatory(),
    )
    .addOption(new Option("--gid <n>", "gid of the home").argParser(gidOption).makeOptionMandatory())
    .addOption(new Option("--home <dir>", "absolute path").argParser(homeOption).makeOptionMandatory())
    .addOption(type("crypt"))
    .option("--create-home", "create the home and its Maildir, owned by uid:gid")
    .addHelpText(
      "after",
      `${PASSWORD_HELP}

Examples:
  qmail-mysql user add iain --uid 800 --gid 100 --home /home/mail/iain --create-home
  qmail-mysql user add sales --uid 800 --gid 100 --home /home/mail/sales <password-file`,
    )
    .action((name: string, options) => add(context, mailboxName(name), options));

  user
    .command("passwd <name>")
    .description("Set a mailbox's password. Its type is kept without --type.")
    .addOption(type())
    .option("--hash", "the input is already a hash from crypt(3) or PASSWORD(), and is stored unchanged")
    .addHelpText(
      "after",
      `${PASSWORD_HELP}

Examples:
  qmail-mysql user passwd iain
  qmail-mysql user passwd iain --type crypt <new-password`,
    )
    .action((name: string, options) => passwd(context, mailboxName(name), options));

  user
    .command("set <name>")
    .description("Change a mailbox's uid, gid or home. Its mail is not moved.")
    .addOption(new Option("--uid <n>", "uid that owns the home; never 0").argParser(uidOption))
    .addOption(new Option("--gid <n>", "gid of the home").argParser(gidOption))
    .addOption(new Option("--home <dir>", "absolute path").argParser(homeOption))
    .action((name: string, options) => set(context, mailboxName(name), options));

  user
    .command("suspend <name>")
    .description(
      "Refuse logins. Mail is still delivered, unless control/sqlserver has suspended_mail defer or bounce.",
    )
    .action((name: string) => setSuspended(context, mailboxName(name), true));

  user
    .command("resume <name>")
    .description("Allow logins again.")
    .action((name: string) => setSuspended(context, mailboxName(name), false));

  user
    .command("del <name>")
    .description("Delete a mailbox's row. Its home and mail are kept.")
    .option("--cascade", "also delete its rows of alias and virtual")
    .action((name: string, options) => del(context, mailboxName(name), options));

  user
    .command("rename <name> <new>")
    .description("Rename a mailbox, also in its rows of alias and virtual. Its home is kept.")
    .action((name: string, to: string) => rename(context, mailboxName(name), mailboxName(to)));

  user
    .command("list")
    .description("All mailboxes.")
    .option("--json", "an array of objects")
    .addHelpText(
      "after",
      "\nExample:\n  qmail-mysql user list --json | jq -r '.[] | select(.suspended).username'",
    )
    .action((options) => listUsers(context, options));

  user
    .command("show <name>")
    .description("Show a mailbox without its password, and whether its home can be used.")
    .option("--json", "an object")
    .action((name: string, options) => show(context, mailboxName(name), options));
}

function type(fallback?: "crypt"): Option {
  const option = new Option("--type <type>", "plain, crypt or mysql").argParser(typeOption);
  return fallback ? option.default(fallback) : option;
}
