import { isLocked } from "@qmail-mysql/password/locked";
import { chooseVirtual, type FindVirtual } from "@qmail-mysql/routing";
import { lower, splitAddress } from "@qmail-mysql/wire";
import type { Login, SystemAccount } from "./mailbox.ts";

/** What a client sent: byte strings. The challenge is empty when none was made. */
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
  /** The virtual table holds patterns: chooseVirtual. */
  readonly funkyQueries: boolean;
}

/** Ports. Each find throws on trouble; undefined means surely none. Each verify throws when it cannot tell. */
export interface LoginPorts {
  /** The mailbox row of that very name, in lower case. */
  readonly findLogin: (name: string) => Promise<Login | undefined>;
  readonly findVirtual: FindVirtual;
  /** The system account of that very name. */
  readonly findSystemLogin: (name: string) => Promise<SystemLogin | undefined>;
  /** A stored password to compare with where there is none to compare with; undefined: the table is empty. */
  readonly decoy: () => Promise<Pick<Login, "password" | "passwordType"> | undefined>;
  readonly verify: (
    typed: string,
    stored: string,
    passwordType: string,
    challenge: string,
  ) => Promise<boolean>;
  readonly verifySystem: (typed: string, hash: string) => Promise<boolean>;
}

/** Whom a login becomes. */
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

/** What a login name leads to. */
type Candidate = { readonly mailbox: Login } | { readonly account: SystemLogin };
type Lookup = () => Promise<Candidate | undefined>;

/**
 * Who may this be? The mailbox of that name; none: the mailbox the virtual table gives the address; none: the
 * system account. The first of them decides. A refusal takes every lookup and one comparison, so that
 * the time of it does not tell who exists, or whose password is locked.
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
      await spendTheRest(lookups.slice(i + 1), mustCompare, credentials, ports).catch(() => {});
    }
    return verdict;
  }
  await spendTheRest([], true, credentials, ports);
  return { refused: "unknown" };
}

/** The ways to find who a login is for, in order. */
function lookupsOf(login: string, { funkyQueries }: LoginSettings, ports: LoginPorts): Lookup[] {
  const name = lower(login);
  const ofName: Lookup = async () => asMailbox(await ports.findLogin(name));
  const address = splitAddress(name);
  const ofAddress: Lookup = async () => {
    if (!address) return undefined;
    const { local, host } = address;
    const virtual = chooseVirtual(await ports.findVirtual(local, host), local, host, funkyQueries);
    const mailbox = await ports.findLogin(lower(virtual?.username ?? name)); // looked up in any case: its time counts
    return virtual && asMailbox(mailbox);
  };
  const ofSystem: Lookup = async () => {
    const account = await ports.findSystemLogin(login);
    // Root's password is not to be guessed at here: root is treated as unknown.
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
 * What a refusal has yet to cost: the lookups that were not made, and the comparison, with the decoy, where
 * nothing was compared. What it finds is not used.
 */
async function spendTheRest(
  lookups: readonly Lookup[],
  mustCompare: boolean,
  { password, challenge }: Credentials,
  ports: LoginPorts,
): Promise<void> {
  for (const lookup of lookups) await lookup();
  const decoy = await ports.decoy();
  if (!decoy || !mustCompare) return;
  // What cannot be verified costs nothing, and a broken first row is no stranger's trouble.
  await ports.verify(password, decoy.password, decoy.passwordType, challenge).catch(() => {});
}

/** Says whose password it is that cannot be verified. */
async function named(who: string, verify: () => Promise<boolean>): Promise<boolean> {
  try {
    return await verify();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`unable to verify the password of ${who}: ${why}`);
  }
}
