import { isLocked } from "@qmail-mysql/password/locked";
import { chooseVirtual, type FindVirtual } from "@qmail-mysql/routing";
import { lower, splitAddress } from "@qmail-mysql/wire";
import type { Login, SystemAccount } from "./mailbox.ts";

/** What a client sent: byte strings. The challenge is empty if none was sent to it. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
  readonly challenge: string;
}

/** A system account with the hash of its password. */
export interface SystemLogin extends SystemAccount {
  readonly password: string;
  readonly expired: boolean;
}

export interface LoginSettings {
  /** The virtual table holds patterns: see chooseVirtual. */
  readonly funkyQueries: boolean;
}

/** Ports. A find throws on trouble; undefined means that there is none. A verify throws if it cannot compare. */
export interface LoginPorts {
  /** The mailbox row of exactly that name, in lower case. */
  readonly findLogin: (name: string) => Promise<Login | undefined>;
  readonly findVirtual: FindVirtual;
  /** The system account of exactly that name. */
  readonly findSystemLogin: (name: string) => Promise<SystemLogin | undefined>;
  /** A stored password to compare with if the login has none; undefined if the table is empty. */
  readonly decoy: () => Promise<Pick<Login, "password" | "passwordType"> | undefined>;
  readonly verify: (
    typed: string,
    stored: string,
    passwordType: string,
    challenge: string,
  ) => Promise<boolean>;
  readonly verifySystem: (typed: string, hash: string) => Promise<boolean>;
}

/** The account that a login becomes. */
export interface Identity {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export type Verdict =
  | { readonly accepted: Identity }
  | { readonly refused: "unknown" | "wrong password" | "suspended" | "expired" };

const MAILBOX_SHELL = "/bin/sh";

/** What a lookup finds for a login name. */
type Candidate = { readonly mailbox: Login } | { readonly account: SystemLogin };
type Lookup = () => Promise<Candidate | undefined>;

/**
 * Decides a login. The first of these that exists is used: the mailbox of that name, the mailbox that the virtual
 * table gives for the address, the system account. A refusal makes every lookup and one comparison, so that its time
 * does not reveal which accounts exist or which passwords are locked.
 */
export async function authenticate(
  credentials: Credentials,
  settings: LoginSettings,
  ports: LoginPorts,
): Promise<Verdict> {
  const lookups = lookupsOf(credentials.login, settings, ports);
  for (const [i, lookup] of lookups.entries()) {
    const candidate = await lookup();
    if (!candidate) continue;
    const verdict = await judge(candidate, credentials, ports);
    if ("refused" in verdict) {
      const mustCompare = isWithoutPassword(candidate);
      await doRemainingWork(lookups.slice(i + 1), mustCompare, credentials, ports).catch(() => {});
    }
    return verdict;
  }
  await doRemainingWork([], true, credentials, ports);
  return { refused: "unknown" };
}

/** The lookups for a login name, in order. */
function lookupsOf(login: string, { funkyQueries }: LoginSettings, ports: LoginPorts): Lookup[] {
  const name = lower(login);
  const ofName: Lookup = async () => asMailbox(await ports.findLogin(name));
  const address = splitAddress(name);
  const ofAddress: Lookup = async () => {
    if (!address) return undefined;
    const { local, host } = address;
    const virtual = chooseVirtual(await ports.findVirtual(local, host), local, host, funkyQueries);
    const mailbox = await ports.findLogin(lower(virtual?.username ?? name)); // always looked up, so that the time is the same
    return virtual && !virtual.isDisabled ? asMailbox(mailbox) : undefined;
  };
  const ofSystem: Lookup = async () => {
    const account = await ports.findSystemLogin(login);
    // Root is treated as unknown, so that its password cannot be guessed here.
    return account?.uid ? { account } : undefined;
  };
  return [ofName, ofAddress, ofSystem];
}

const asMailbox = (mailbox: Login | undefined) => mailbox && { mailbox };

function judge(candidate: Candidate, credentials: Credentials, ports: LoginPorts): Promise<Verdict> {
  return "mailbox" in candidate
    ? judgeMailbox(candidate.mailbox, credentials, ports)
    : judgeAccount(candidate.account, credentials, ports);
}

async function judgeMailbox(
  row: Login,
  { password, challenge }: Credentials,
  ports: LoginPorts,
): Promise<Verdict> {
  const right = await named(`mailbox row "${row.username}"`, () =>
    ports.verify(password, row.password, row.passwordType, challenge),
  );
  const root = row.uid === 0 ? "uid" : row.gid === 0 ? "gid" : undefined;
  if (root) throw new Error(`unable to use mailbox row "${row.username}": its ${root} is 0`);
  if (!right) return { refused: "wrong password" };
  if (row.suspended) return { refused: "suspended" };
  const { username: user, uid, gid, home } = row;
  return { accepted: { user, uid, gid, home, shell: MAILBOX_SHELL } };
}

async function judgeAccount(
  account: SystemLogin,
  { password }: Credentials,
  ports: LoginPorts,
): Promise<Verdict> {
  const right = await named(`system account "${account.name}"`, () =>
    ports.verifySystem(password, account.password),
  );
  if (!right) return { refused: "wrong password" };
  if (account.expired) return { refused: "expired" };
  const { name: user, uid, gid, home, shell } = account;
  return { accepted: { user, uid, gid, home, shell } };
}

/** Was there nothing to compare a password with? */
const isWithoutPassword = (candidate: Candidate): boolean =>
  "mailbox" in candidate
    ? isLocked(candidate.mailbox.password, candidate.mailbox.passwordType)
    : isLocked(candidate.account.password, "Crypt-Password");

/**
 * Makes the rest of the work of a refusal: the lookups not yet made and, if nothing was compared, a comparison with
 * the decoy. The results are not used.
 */
async function doRemainingWork(
  lookups: readonly Lookup[],
  mustCompare: boolean,
  { password, challenge }: Credentials,
  ports: LoginPorts,
): Promise<void> {
  for (const lookup of lookups) await lookup();
  const decoy = await ports.decoy();
  if (!decoy || !mustCompare) return;
  // An invalid password in the row of the decoy must not fail the logins of others.
  await ports.verify(password, decoy.password, decoy.passwordType, challenge).catch(() => {});
}

/** Adds to an error of `verify` whose password it is. */
async function named(who: string, verify: () => Promise<boolean>): Promise<boolean> {
  try {
    return await verify();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`unable to verify the password of ${who}: ${why}`);
  }
}
