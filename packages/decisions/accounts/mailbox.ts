/** A row of the mailbox table, checked. `password` is never in one that qmail-getpw sees. */
export interface Mailbox {
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly suspended: boolean;
}

/** A row that is invalid, and why. Trouble for the addresses that it controls, and for no others. */
export interface InvalidMailbox {
  readonly username: string;
  readonly wrong: string;
}

/** What a login needs beyond a Mailbox. */
export interface Login extends Mailbox {
  readonly password: string;
  readonly passwordType: string;
}

/** A system account, as getpwnam(3) gives it. */
export interface SystemAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/**
 * Ports. Each gives the rows among `names` that exist, in any order, and throws on trouble:
 * an empty list means that there are none. Names are lower case.
 */
export type FindMailboxes = (names: readonly string[]) => Promise<readonly (Mailbox | InvalidMailbox)[]>;
export type FindSystemAccounts = (names: readonly string[]) => Promise<readonly SystemAccount[]>;

/** Who owns `home`; or why that is not known, and whether it is `hidden`: the asking program may not look. */
export type Owner =
  | { readonly uid: number }
  | { readonly unusable: string; readonly hidden?: boolean | undefined };

/** Port: stat(2). Throws on a condition that may pass. */
export type HomeOwner = (home: string) => Owner;
