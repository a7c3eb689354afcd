import { randomBytes } from "node:crypto";
import { cdbWriter } from "@qmail-mysql/cdb";
import { listEntries } from "@qmail-mysql/control";
import { aliasUser } from "@qmail-mysql/control-files";
import { checkRecipient, type RecipientControls, type RecipientPorts } from "@qmail-mysql/recipient";
import { recipientPorts } from "@qmail-mysql/recipient-check";
import { recipientControls } from "@qmail-mysql/routing-controls";
import { openStore } from "@qmail-mysql/store";
import { openAccountCache } from "@qmail-mysql/system";
import { Die, HARD, Trouble } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import type { Context, Made } from "./context.ts";
import { generatedText } from "./edge/generated.ts";
import { acceptedHosts, aliasFiles, assignedKeys } from "./edge/recipient-files.ts";
import { handLines, sourceOf } from "./edge/sources.ts";
import { listable, type RecipientNames } from "./listable.ts";

/**
 * control/validrcptto and its cdb: every recipient that qmail-smtpd accepts, a line for each, or @host for all of a host.
 * Throws Die if a recipient cannot be expressed: it would be refused.
 */
export async function validrcptto(context: Context): Promise<Made> {
  const { home, config, progress } = context;
  const controls = recipientControls(home);
  const hosts = hostsOf(home, controls);
  const path = `${home}/control/validrcptto`;
  const source = sourceOf(path);
  const text = context.open(path);
  const cdb = context.open(`${path}.cdb`);
  const out = generatedText(text);
  const writer = cdbWriter(cdb.write);
  out.line("# Edit validrcptto.local instead: rebuild-cdb(8) makes this of it and of the database.");
  let hand = 0;
  for (const line of handLines(source)) {
    out.line(line);
    for (const entry of listEntries(line)) {
      hand++;
      writer.add(lower(entry), "");
    }
  }
  let rows = 0;
  const add = (entry: string) => {
    progress.row("control/validrcptto");
    rows++;
    out.line(entry);
    writer.add(entry, "");
  };
  const find = openAccountCache(config.timeout, () => performance.now());
  const names = await namesOf(context, controls, find);
  const store = await openStore(config, home, "resident");
  try {
    const judge = judgeOver(recipientPorts(home, { store, settings: config }, find, () => controls));
    for (const host of hosts) {
      const locals = listable(host, names);
      if (locals === "all" || (await judge(`${randomBytes(16).toString("hex")}@${host}`))) {
        add(`@${host}`);
        continue;
      }
      for (const local of locals) if (await judge(`${local}@${host}`)) add(`${local}@${host}`);
    }
  } finally {
    await store.close();
  }
  out.finish(rows);
  cdb.begin(writer.finish());
  return { text, cdb, source, rows, hand };
}

function hostsOf(home: string, { rcpthosts }: RecipientControls): readonly string[] {
  const refuse = (why: string): never => {
    throw new Die(HARD, `unable to list the recipients: ${why}`);
  };
  if (!rcpthosts) return refuse("control/rcpthosts does not exist: qmail-smtpd accepts every host");
  const hosts = [...new Set([...rcpthosts, ...acceptedHosts(home)])].sort();
  const below = hosts.find((host) => host.startsWith("."));
  if (below !== undefined)
    refuse(`rcpthosts has ${below}, and the list cannot contain all hosts below a name`);
  return hosts;
}

async function namesOf(
  { home, tables, config }: Context,
  controls: RecipientControls,
  find: RecipientPorts["findSystemAccounts"],
): Promise<RecipientNames> {
  const virtual = new Map<string, string[]>();
  const patterns: string[] = [];
  await tables.eachVirtualAddress((local, host) => {
    const name = lower(host);
    if (config.funkyQueries && /[%_]/.test(local + host)) patterns.push(name);
    const locals = virtual.get(name);
    if (locals) locals.push(lower(local));
    else virtual.set(name, [lower(local)]);
  });
  const aliases: string[] = [];
  await tables.eachAliasOf(aliasUser(), (alias) => aliases.push(lower(alias)));
  const [alias] = await find([aliasUser()]);
  return {
    controls,
    virtual,
    patterns,
    aliases,
    files: alias ? aliasFiles(alias.home) : [],
    ...assignedKeys(home),
  };
}

/**
 * Is a recipient to be in the list? One with an invalid row is: its mail is deferred. Throws Trouble if the database or
 * another lookup failed.
 */
function judgeOver(ports: RecipientPorts): (address: string) => Promise<boolean> {
  let failure: unknown;
  const watched = <A extends unknown[], T>(find: (...args: A) => Promise<T>) => {
    return (...args: A): Promise<T> =>
      find(...args).catch((error: unknown) => {
        failure = error;
        throw error;
      });
  };
  const own: RecipientPorts = {
    ...ports,
    findMailboxes: watched(ports.findMailboxes),
    findAliases: watched(ports.findAliases),
    findVirtual: watched(ports.findVirtual),
    findVirtualHosts: watched(ports.findVirtualHosts),
    findSystemAccounts: watched(ports.findSystemAccounts),
  };
  return async (address) => {
    const { verdict, by } = await checkRecipient({ address, mayRelay: false }, own);
    if (failure !== undefined) throw new Trouble(by);
    return verdict !== "unknown" && verdict !== "disabled" && verdict !== "not-ours";
  };
}
