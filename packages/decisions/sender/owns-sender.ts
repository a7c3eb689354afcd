import { Held } from "@qmail-mysql/accounts";
import { type RoutePorts, route } from "@qmail-mysql/delivery";
import { aliasInstruction } from "@qmail-mysql/dotqmail";
import { chooseAliases, chooseVirtual, magicTarget, rewrite, type SendControls } from "@qmail-mysql/routing";
import { QLX_NOALIAS, Trouble } from "@qmail-mysql/trouble";
import { lower, splitAddress } from "@qmail-mysql/wire";

/** Ports: the lookups of qmail-lspawn, and the control files of qmail-send. Each throws on trouble. */
export interface SenderPorts extends Omit<RoutePorts, "homeOwner" | "warn" | "explain"> {
  readonly controls: () => SendControls;
}

const MOST = 200; // addresses that forwards lead to

/**
 * May `login` send mail with this envelope sender? It may if mail for the sender would come to the mailbox of the login:
 * directly or by an extension, by the virtual table, a catch-all included, or by forwards of the alias table. A forward
 * in a .qmail file does not count. Throws Trouble, also if the forwards lead to too many addresses.
 */
export async function ownsSender(login: string, sender: string, ports: SenderPorts): Promise<boolean> {
  const user = await userOf(lower(login), ports);
  const seen = new Set([lower(sender)]);
  const addresses = [sender];
  for (const address of addresses) {
    if (lower(address) === lower(login)) return true;
    const reached = await follow(address, ports);
    if (lower(reached.user ?? "") === user) return true;
    for (const target of reached.forwards) {
      if (seen.has(lower(target))) continue;
      if (seen.size === MOST) throw new Trouble(`unable to follow the aliases: more than ${MOST} addresses`);
      seen.add(lower(target));
      addresses.push(target);
    }
  }
  return false;
}

/** The mailbox of a login, as `authenticate` finds it; another login is its own user. */
async function userOf(login: string, { findMailboxes, findVirtual, settings }: SenderPorts): Promise<string> {
  const [mailbox] = await findMailboxes([login]);
  const address = splitAddress(login);
  if (mailbox || !address) return login;
  const { local, host } = address;
  const row = chooseVirtual(await findVirtual(local, host), local, host, settings.funkyQueries);
  return row && !row.isDisabled ? lower(row.username) : login;
}

interface Reached {
  /** Who controls the address; undefined if it is not local. */
  readonly user: string | undefined;
  readonly forwards: readonly string[];
}

const NOWHERE: Reached = { user: undefined, forwards: [] };

async function follow(recipient: string, ports: SenderPorts): Promise<Reached> {
  const { channel, address } = rewrite(recipient, ports.controls());
  const { local, host } = splitAddress(address) ?? { local: "", host: "" };
  if (channel === "remote" || local === "") return NOWHERE;
  const routed = await route(local, host, withoutHomes(ports)).catch(disabled);
  if (typeof routed === "number") return NOWHERE;
  const { user, ext } = routed.control;
  const magic = ports.settings.magicForwarding ? magicTarget(user, local, ext) : undefined;
  if (magic !== undefined) return { user: undefined, forwards: [magic] };
  const rows = chooseAliases(routed.aliases, ext, host).filter((row) => !row.isDisabled);
  const forwards = rows.flatMap((row) => {
    const instruction = aliasInstruction(row);
    return instruction.kind === "forward" ? [instruction.address] : [];
  });
  return { user, forwards };
}

/** A disabled address has no owner. */
function disabled(error: unknown): number {
  if (error instanceof Held) return QLX_NOALIAS;
  throw error;
}

/** Whose address it is does not depend on the state of a home, nor on whether the mailbox is suspended. */
function withoutHomes(ports: SenderPorts): RoutePorts {
  const owners = new Map<string, number>();
  return {
    ...ports,
    settings: { ...ports.settings, suspendedMail: "deliver" },
    async findSystemAccounts(names) {
      const accounts = await ports.findSystemAccounts(names);
      for (const { home, uid } of accounts) owners.set(home, uid);
      return accounts;
    },
    homeOwner: (home, claimed) => ({ uid: claimed ?? owners.get(home) ?? 0 }),
    warn: () => {},
  };
}
