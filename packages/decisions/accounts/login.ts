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

/**
 * Who may this be? The mailbox of that name; none: the mailbox the virtual table gives the address; none: the
 * system account. The first of them decides. Whoever is refused has cost every lookup and one comparison:
 * a stranger's password is compared with the decoy, so that time does not tell who exists.
 */
export async function authenticate(
  credentials: Credentials,
  settings: LoginSettings,
  ports: LoginPorts,
): Promise<Verdict> {
  let verdict: Verdict | undefined;
  try {
    for await (const judge of judges(credentials, settings, ports)) {
      if (!judge || verdict) continue; // refused already: the rest is for its cost alone
      verdict = await judge();
      if ("accepted" in verdict) break;
    }
  } catch (error) {
    if (!verdict) throw error;
  }
  return verdict ?? { refused: "unknown" };
}

type Judge = () => Promise<Verdict>;

/** Those who might decide, in order; undefined where a lookup found nobody. The decoy comes last. */
async function* judges(
  { login, password, challenge }: Credentials,
  { funkyQueries }: LoginSettings,
  ports: LoginPorts,
): AsyncGenerator<Judge | undefined> {
  const name = lower(login);
  const ofMailbox = (row: Login | undefined): Judge | undefined =>
    row &&
    (async () => {
      const right = await named(`mailbox row "${row.username}"`, () =>
        ports.verify(password, row.password, row.passwordType, challenge),
      );
      if (row.uid === 0) throw new Error(`unable to use mailbox row "${row.username}": its uid is 0`);
      if (!right) return { refused: "wrong password" };
      if (row.suspended) return { refused: "suspended" };
      const { username: user, uid, gid, home } = row;
      return { accepted: { user, uid, gid, home, shell: MAILBOX_SHELL } };
    });

  yield ofMailbox(await ports.findLogin(name));

  const address = splitAddress(name);
  if (address) {
    const { local, host } = address;
    const virtual = chooseVirtual(await ports.findVirtual(local, host), local, host, funkyQueries);
    const mailbox = await ports.findLogin(lower(virtual?.username ?? name));
    yield virtual && ofMailbox(mailbox);
  }

  const account = await ports.findSystemLogin(login);
  // Root's password is not to be guessed at here: to us, root is a stranger.
  yield account?.uid
    ? async () => {
        const right = await named(`system account "${account.name}"`, () =>
          ports.verifySystem(password, account.password),
        );
        if (!right) return { refused: "wrong password" };
        if (account.expired) return { refused: "expired" };
        const { name: user, uid, gid, home, shell } = account;
        return { accepted: { user, uid, gid, home, shell } };
      }
    : undefined;

  const decoy = await ports.decoy();
  yield async () => {
    // What cannot be verified costs nothing, and a broken first row is no stranger's trouble.
    if (decoy) await ports.verify(password, decoy.password, decoy.passwordType, challenge).catch(() => {});
    return { refused: "unknown" };
  };
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
