import { lower, nulEnded } from "@qmail-mysql/wire";
import type { FindMailboxes, FindSystemAccounts, HomeOwner } from "./mailbox.ts";
import { type Split, splits } from "./splits.ts";

/** Who controls a local part: the six fields qmail-getpw prints. */
export interface Assignment {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly dash: "" | "-";
  readonly ext: string;
}

export interface World {
  readonly findMailboxes: FindMailboxes;
  readonly findSystemAccounts: FindSystemAccounts;
  readonly homeOwner: HomeOwner;
  readonly warn: (line: string) => void;
}

export interface Settings {
  readonly breakChar: string;
  readonly aliasUser: string;
  readonly homeMismatch: "alias" | "defer";
  readonly suspendedMail: "deliver" | "defer" | "bounce";
}

/** A mailbox that the administrator wants no mail delivered to: the mail waits, or is refused for good. */
export class Held extends Error {
  readonly bounce: boolean;
  constructor(message: string, bounce: boolean) {
    super(message);
    this.bounce = bounce;
  }
}

// conf-break and GETPW_USERLEN are qmail's; a system account name of 32 or more bytes is never looked up.
const GETPW_USERLEN = 32;

/**
 * Who controls `local`? The longest name that is a mailbox; none: the longest that is a system account; none:
 * the alias user, with the whole local part for extension. A mailbox whose home is unusable goes to alias and
 * to no shorter name, which would be another user. Undefined when not even alias exists.
 */
export async function getpw(
  local: string,
  settings: Settings,
  world: World,
): Promise<Assignment | undefined> {
  const ways = [...splits(lower(local), settings.breakChar)];
  const original = ({ dash, ext }: Split) => ({ dash, ext: ext === "" ? "" : local.slice(-ext.length) });

  const boxes = await world.findMailboxes(ways.map((way) => way.user));
  const byName = new Map(boxes.map((box) => [lower(box.username), box]));
  const way = ways.find(({ user }) => byName.has(user));
  const box = way && byName.get(way.user);
  if (way && box) {
    if (box.suspended && settings.suspendedMail !== "deliver") {
      throw new Held(`mailbox "${box.username}" is suspended`, settings.suspendedMail === "bounce");
    }
    const unusable = whyUnusable(box, world.homeOwner);
    if (unusable === undefined) {
      return { user: box.username, uid: box.uid, gid: box.gid, home: box.home, ...original(way) };
    }
    const line = `mailbox row "${box.username}" is not used: ${unusable}`;
    if (settings.homeMismatch === "defer") throw new Held(line, false);
    world.warn(line);
  } else {
    const short = ways.filter(({ user }) => user.length < GETPW_USERLEN);
    const accounts = await world.findSystemAccounts(short.map(({ user }) => user));
    const known = new Map(accounts.map((account) => [account.name, account]));
    for (const candidate of short) {
      const account = known.get(candidate.user);
      if (account && whyUnusable(account, world.homeOwner) === undefined) {
        const { name, uid, gid, home } = account;
        return { user: name, uid, gid, home, ...original(candidate) };
      }
    }
  }

  const [alias] = await world.findSystemAccounts([settings.aliasUser]);
  return (
    alias && { user: alias.name, uid: alias.uid, gid: alias.gid, home: alias.home, dash: "-", ext: local }
  );
}

/** Why this row or account controls nothing; undefined when it may. Rules of qmail-getpw(8). */
function whyUnusable(
  { uid, home }: { readonly uid: number; readonly home: string },
  homeOwner: HomeOwner,
): string | undefined {
  if (uid === 0) return "its uid is 0";
  const owner = homeOwner(home);
  if ("unusable" in owner) return `home ${home}: ${owner.unusable}`;
  return owner.uid === uid ? undefined : `home ${home} is owned by uid ${owner.uid}, not by its uid ${uid}`;
}

/** What qmail-getpw prints. */
export function format({ user, uid, gid, home, dash, ext }: Assignment): string {
  return nulEnded([user, uid, gid, home, dash, ext]);
}
