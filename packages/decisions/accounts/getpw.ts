import {
  choosePrefix,
  chooseVirtual,
  type FindVirtual,
  type FindVirtualHosts,
  isMagic,
  MAGIC_USER,
  rowText,
  type VirtualRow,
  virtualPrefixes,
} from "@qmail-mysql/routing";
import { Trouble } from "@qmail-mysql/trouble";
import { lower, nulEnded } from "@qmail-mysql/wire";
import { accountIsUsed, mailboxProblem } from "./home.ts";
import type { FindMailboxes, FindSystemAccounts, HomeOwner } from "./mailbox.ts";
import { type PossibleUser, possibleUsers } from "./possible-users.ts";

/** Who controls a local part: the six fields qmail-getpw prints. */
export interface Assignment {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly dash: "" | "-";
  readonly ext: string;
}

export interface GetpwPorts {
  readonly findMailboxes: FindMailboxes;
  readonly findSystemAccounts: FindSystemAccounts;
  readonly findVirtual: FindVirtual;
  readonly findVirtualHosts: FindVirtualHosts;
  readonly homeOwner: HomeOwner;
  readonly warn: (line: string) => void;
  /** Called with each decision and the row that caused it. `isCatchAll`: the row is for any address. */
  readonly explain?: (line: string, isCatchAll?: boolean) => void;
}

export interface GetpwSettings {
  readonly breakChar: string;
  readonly aliasUser: string;
  readonly homeMismatch: "alias" | "defer";
  readonly suspendedMail: "deliver" | "defer" | "bounce";
  readonly funkyQueries: boolean;
  readonly magicForwarding: boolean;
}

/** A mailbox to which no mail is delivered: the mail is deferred or bounced. */
export class Held extends Error {
  readonly bounce: boolean;
  constructor(message: string, bounce: boolean) {
    super(message);
    this.bounce = bounce;
  }
}

const GETPW_USERLEN = 32; // qmail-getpw(8): a system account's name of 32 or more bytes is never looked up

/**
 * Returns who controls `local`. If it begins with a virtual host and a dash, this is the user in the row of the virtual
 * table. Otherwise it is the longest name that is a mailbox, else the longest that is a system account, else the alias
 * user with the whole local part as extension. Undefined if there is no alias account. `host` is the host of the
 * address, if known: qmail-lspawn does not pass it to qmail-getpw.
 */
export async function getpw(
  local: string,
  settings: GetpwSettings,
  world: GetpwPorts,
  host?: string,
): Promise<Assignment | undefined> {
  const virtual = await findVirtualRow(local, host, settings, world);
  if (virtual === "none") return asAlias(local, settings, world);
  if (virtual === "not virtual")
    return (await ownerOf(local, settings, world)) ?? asAlias(local, settings, world);

  if (virtual.isDisabled) {
    throw new Held(`virtual address ${virtual.virtualUsername}@${virtual.virtualHost} is disabled`, true);
  }

  // The row's user and extension form a local part, as the patched qmail-send wrote it.
  const { username, ext } = virtual;
  const target = ext === "" ? username : `${username}${settings.breakChar}${ext}`;
  const owner = await ownerOf(target, settings, world);
  if (owner) return owner;
  const alias = await asAlias(target, settings, world);
  if (alias && settings.magicForwarding && isMagic(username, ext)) {
    world.explain?.(`magic forwarding: qmail-local forwards to ${ext}`);
    return { ...alias, user: MAGIC_USER, ext };
  }
  return alias;
}

/** The virtual row for a local part that begins with a virtual host; "none" if that host has no row for it. */
async function findVirtualRow(
  local: string,
  addressHost: string | undefined,
  settings: GetpwSettings,
  world: GetpwPorts,
): Promise<VirtualRow | "none" | "not virtual"> {
  const ways = virtualPrefixes(lower(local));
  if (ways.length === 0) return "not virtual";
  const host = choosePrefix(await world.findVirtualHosts(ways.map((way) => way.host)), addressHost);
  const way = ways.find((one) => one.host === host);
  if (!way) return "not virtual";
  const row = chooseVirtual(
    await world.findVirtual(way.local, way.host),
    way.local,
    way.host,
    settings.funkyQueries,
  );
  world.explain?.(
    row
      ? rowText("virtual", [row.username, row.ext, row.virtualUsername, row.virtualHost])
      : `no virtual row for "${way.local}" at the virtual host ${way.host}, and no catch-all`,
    row && lower(row.virtualUsername) !== way.local,
  );
  return row ?? "none";
}

/** The mailbox, else the system account, that controls `local`; undefined if the alias user controls it. */
async function ownerOf(
  local: string,
  settings: GetpwSettings,
  world: GetpwPorts,
): Promise<Assignment | undefined> {
  const ways = possibleUsers(lower(local), settings.breakChar);
  const original = ({ dash, ext }: PossibleUser) => ({
    dash,
    ext: ext === "" ? "" : local.slice(-ext.length),
  });

  const boxes = await world.findMailboxes(ways.map((way) => way.user));
  for (const way of ways) {
    const box = boxes.find(({ username }) => lower(username) === way.user); // the first, as for a login
    if (!box) continue;
    if ("wrong" in box) throw new Trouble(box.wrong);
    if (box.suspended && settings.suspendedMail !== "deliver") {
      throw new Held(`mailbox "${box.username}" is suspended`, settings.suspendedMail === "bounce");
    }
    const problem = mailboxProblem(box, world.homeOwner);
    if (problem === undefined) {
      world.explain?.(`mailbox row "${box.username}"`);
      return { user: box.username, uid: box.uid, gid: box.gid, home: box.home, ...original(way) };
    }
    // A shorter name is not tried: it is another user.
    const line = `mailbox row "${box.username}" is not used: ${problem}`;
    if (settings.homeMismatch === "defer") throw new Held(line, false);
    world.warn(line);
    return undefined;
  }

  const short = ways.filter(({ user }) => user.length < GETPW_USERLEN);
  const accounts = await world.findSystemAccounts(short.map(({ user }) => user));
  const known = new Map(accounts.map((account) => [account.name, account]));
  for (const way of short) {
    const account = known.get(way.user);
    if (account && accountIsUsed(account, world.homeOwner)) {
      world.explain?.(`system account ${account.name}`);
      return { user: account.name, uid: account.uid, gid: account.gid, home: account.home, ...original(way) };
    }
  }
  return undefined;
}

async function asAlias(
  local: string,
  settings: GetpwSettings,
  world: GetpwPorts,
): Promise<Assignment | undefined> {
  const [alias] = await world.findSystemAccounts([settings.aliasUser]);
  if (alias) world.explain?.(`nobody else: the ${alias.name} user, extension "${local}"`);
  return (
    alias && { user: alias.name, uid: alias.uid, gid: alias.gid, home: alias.home, dash: "-", ext: local }
  );
}

/** What qmail-getpw prints. */
export function format({ user, uid, gid, home, dash, ext }: Assignment): string {
  return nulEnded([user, uid, gid, home, dash, ext]);
}
