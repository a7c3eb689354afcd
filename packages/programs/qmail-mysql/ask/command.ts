import { aliasKeys, chooseAliases } from "@qmail-mysql/routing";
import { openSite } from "@qmail-mysql/store";
import { Die, HARD, OK, REFUSED, Trouble } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { tryLogin } from "../edge/login.ts";
import { json } from "../output/table.ts";
import { extension, virtualAddress } from "../routing/input.ts";
import { mailboxName } from "../user/input.ts";
import { readOldPassword } from "../user/password.ts";

/** auth test, query mailbox|alias|virtual: the same lookups as in the mail programs. */
export function addAsk(program: Command, context: Context): void {
  const auth = program.command("auth").description("Logins.");
  auth
    .command("test <login>")
    .description(
      "Does checkpassword accept this login? Asks for the password, or reads it from the first line of descriptor 0.",
    )
    .addHelpText("after", "\nRun it as root. Exit status: 0 accepted, 100 refused, 111 temporary error.")
    .action(async (login: string) => {
      const code = tryLogin(login, await readOldPassword(login));
      if (code === REFUSED) throw new Die(HARD, `"${login}": login refused`);
      if (code !== OK)
        throw new Trouble(`unable to decide about "${login}": checkpassword ended with ${code}`);
      context.print("accepted\n");
    });

  const query = program
    .command("query")
    .description("Rows as the mail programs read them, through qmail-sqld if it is configured; as JSON.");
  query
    .command("mailbox <name>")
    .description("A mailbox, without its password.")
    .action((name: string) => answer(context, (store) => store.findMailboxes([mailboxName(name)])));
  query
    .command("alias <user> <ext>")
    .description("The instructions for a user's extension, in the order in which they are carried out.")
    .action((user: string, ext: string) =>
      answer(context, async (store) => {
        const rows = await store.findAliases(lower(user), aliasKeys(extension(ext), ""));
        return chooseAliases(rows, extension(ext), "");
      }),
    );
  query
    .command("virtual <address>")
    .description("The rows that may apply to a virtual address, the catch-all included.")
    .action((address: string) => {
      const { user, host } = virtualAddress(address, false);
      return answer(context, (store) => store.findVirtual(user, host));
    });
}

type Asked = Awaited<ReturnType<typeof openSite>>["store"];

async function answer(context: Context, ask: (store: Asked) => Promise<readonly unknown[]>): Promise<void> {
  const { store } = await openSite(context.home, "qmail-mysql", true);
  try {
    const rows = await ask(store);
    context.print(json(rows));
    if (rows.length === 0) throw new Die(HARD, "no such row");
  } finally {
    await store.close();
  }
}
