import { parseNetblock, secondsLeft } from "@qmail-mysql/relay";
import {
  openRelayStore,
  type RelayDatabase,
  type RelayStore,
  readRelayDatabase,
} from "@qmail-mysql/relay-store";
import { Die, HARD } from "@qmail-mysql/trouble";
import { formatIp, type Ip, parseIp } from "@qmail-mysql/wire";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { json, printable, table } from "../output/table.ts";

const LEAST_TIMEOUT = 30; // seconds: the limit of control/sql is short because an SMTP client waits for it

/** relay list|add|del|purge */
export function addRelay(program: Command, context: Context): void {
  const relay = program
    .command("relay")
    .description("Clients that may relay (the table of control/sql).")
    .addHelpText(
      "after",
      `
A client is an address (192.0.2.7, 2001:db8::7) or a netblock (10.1.0.0/16, 10.1., 2001:db8:).
tcpserver-sql -S applies changes of netblocks within 10 seconds, those of addresses at once.

Examples:
  qmail-mysql relay add 10.1.0.0/16     permanently, for example the office
  qmail-mysql relay purge               from cron: delete expired logins`,
    );
  relay
    .command("list")
    .description("The clients in the table, and for how long each may relay.")
    .option("--json", "an array of objects")
    .action((options: { json?: true }) => list(context, options));
  relay
    .command("add <client>")
    .description("Let an address or a netblock relay permanently.")
    .action((client: string) => add(context, client));
  relay
    .command("del <client>")
    .description("Delete an address, however it is written, or a netblock.")
    .action((client: string) => del(context, client));
  relay
    .command("purge")
    .description("Delete expired logins; permanent rows are kept.")
    .action(() => purge(context));
}

function list(context: Context, options: { json?: true }): Promise<void> {
  return withRelay(context, "read", async (store, config) => {
    const found = await store.list();
    const rows = found.rows.map((row) => {
      const left = secondsLeft(row, found.now, config.time);
      const state = left === Infinity ? "for ever" : left > 0 ? `${Math.ceil(left)} seconds` : "over";
      return { client: row.client, state, user: row.user ?? "" };
    });
    const cells = rows.map(({ client, state, user }) => [client, state, user]);
    context.print(options.json ? json(rows) : table(["client", "relays", "user"], cells, context.bold));
  });
}

function add(context: Context, client: string): Promise<void> {
  const ip = clientOf(client);
  return withRelay(context, "write", (store) =>
    store.openForEver(typeof ip === "string" ? ip : formatIp(ip)),
  );
}

function del(context: Context, client: string): Promise<void> {
  return withRelay(context, "write", async (store) => {
    // Not validated: an invalid row can be removed, too.
    const rows = await store.remove(parseIp(client) ?? client);
    if (rows === 0) throw new Die(HARD, `no client "${printable(client)}" in the relay table`);
  });
}

function purge(context: Context): Promise<void> {
  return withRelay(context, "write", async (store, config) => {
    context.print(`${await store.purge(config.time)} deleted\n`);
  });
}

/** Returns an address parsed, a netblock unchanged. Throws Die if it is neither. */
function clientOf(client: string): Ip | string {
  const ip = parseIp(client);
  if (ip) return ip;
  if (parseNetblock(client)) return client;
  throw new Die(HARD, `"${printable(client)}" is no address and no netblock (10.1.0.0/16, 10.1., 2001:db8:)`);
}

async function withRelay<T>(
  context: Context,
  mode: "read" | "write",
  use: (store: RelayStore, config: RelayDatabase) => Promise<T>,
): Promise<T> {
  const config = readRelayDatabase(context.home, "qmail-mysql", LEAST_TIMEOUT, "admin");
  const store = await openRelayStore(config, context.home, mode);
  try {
    return await use(store, config);
  } finally {
    await store.close();
  }
}
