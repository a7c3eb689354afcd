import type { Assignment, FindSystemAccounts } from "@qmail-mysql/accounts";
import type { SqlServer } from "@qmail-mysql/control";
import { aliasUser, breakChar } from "@qmail-mysql/control-files";
import { aliasInstruction } from "@qmail-mysql/dotqmail";
import {
  AliasMisconfiguration,
  type AliasRow,
  aliasKeys,
  chooseAliases,
  type FindAliases,
  magicTarget,
} from "@qmail-mysql/routing";
import { lower, splitAddress } from "@qmail-mysql/wire";
import { rememberedAccounts } from "../../edge/accounts.ts";
import { findOwner, type LocalSidePorts, planDelivery } from "../../trace/local-side.ts";
import { type Memory, storeOverMemory } from "./memory.ts";

/** The ports of the mail programs' decisions, over the tables in memory. */
export interface CheckPorts extends LocalSidePorts {
  readonly home: string;
  readonly memory: Memory;
  /** Asks the database, for the optional column position, which the rows in memory do not have. */
  readonly findAliases: FindAliases;
  /** Is it a mailbox or a system account? */
  readonly isAccount: (name: string) => Promise<boolean>;
  readonly isLocal: (host: string) => boolean;
}

export async function checkPorts(
  given: Pick<CheckPorts, "home" | "memory" | "findAliases" | "installed" | "defaultDelivery">,
  config: SqlServer,
  locals: ReadonlySet<string>,
): Promise<CheckPorts> {
  const { memory } = given;
  const settings = { ...config, breakChar: breakChar(), aliasUser: aliasUser() };
  const accounts = rememberedAccounts(config.timeout);
  await accounts(namesToAsk(memory, settings.breakChar));
  return {
    ...given,
    settings,
    // checkAccess checks how the tables are reached; here they are taken to be used.
    installed: { ...given.installed, stockGetpw: false, stockLocal: false },
    store: storeOverMemory(memory, config.funkyQueries),
    findSystemAccounts: usable(accounts),
    assigned: () => undefined,
    whyUnaskable: () => undefined,
    isLocal: (host) => locals.has(host),
    isAccount: async (name) => memory.boxes.has(name) || (await usable(accounts)([name])).length > 0,
  };
}

const usable =
  (accounts: FindSystemAccounts): FindSystemAccounts =>
  async (names) =>
    (await accounts(names)).filter(({ uid }) => uid !== 0);

/** Names in the tables that are not mailboxes, and all their possible users: looked up together, which is faster. */
function namesToAsk({ aliases, virtuals, boxes }: Memory, brk: string): string[] {
  const names = new Set<string>([aliasUser()]);
  const locals = [...aliases.map((row) => row.username), ...virtuals.map((row) => row.username)];
  for (const row of aliases) if (row.aliasHost !== "") locals.push(row.aliasUsername);
  for (const local of locals) {
    for (let name = lower(local); ; name = name.slice(0, name.lastIndexOf(brk))) {
      if (name !== "" && name.length < 32 && !boxes.has(name)) names.add(name);
      if (!name.includes(brk)) break;
    }
  }
  return [...names];
}

/** The result for a local address: who controls it, and the error of the mail programs, if any. */
export interface Tried {
  readonly owner?: Assignment;
  readonly error?: unknown;
}

/** Plans the delivery to a local address, but does not deliver. */
export async function tryAddress(local: string, host: string, ports: CheckPorts): Promise<Tried> {
  let owner: Assignment | undefined;
  try {
    owner = await findOwner(local, host, ports, () => {});
    if (!owner) return {};
    const order = { ...owner, local, host, sender: "", defaultDelivery: ports.defaultDelivery };
    await planDelivery(order, owner, "", ports, () => {});
    return { owner };
  } catch (error) {
    return owner ? { owner, error } : { error };
  }
}

/** The addresses to which the tables forward mail for an address; [] if none, if it is not local, or on an error. */
export async function forwardsOf(address: string, ports: CheckPorts): Promise<string[]> {
  const { local, host } = splitAddress(address) ?? { local: address, host: "" };
  const isVirtual = host !== "" && !ports.isLocal(host);
  if (isVirtual && (await ports.store.findVirtualHosts([lower(host)])).length === 0) return [];
  const as = isVirtual ? `${lower(host)}-${local}` : local;
  try {
    const owner = await findOwner(as, host, ports, () => {});
    if (!owner) return [];
    const { magicForwarding } = ports.settings;
    const magic = magicForwarding ? magicTarget(owner.user, as, owner.ext) : undefined;
    if (magic !== undefined) return [magic];
    const rows = await ports.store.findAliases(lower(owner.user), aliasKeys(owner.ext, host));
    return chooseAliases(rows, owner.ext, host).flatMap((row) => forwardOf(row) ?? []);
  } catch {
    return []; // reported where that row or mailbox is checked
  }
}

/** The address to which a row forwards. */
export function forwardOf(row: AliasRow): string | undefined {
  try {
    const instruction = aliasInstruction(row);
    return instruction.kind === "forward" ? instruction.address : undefined;
  } catch (error) {
    if (error instanceof AliasMisconfiguration) return undefined;
    throw error;
  }
}
