/** A valid row of the mailbox table, without its password. */
export interface Mailbox {
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly suspended: boolean;
}

/** A row that is invalid, and why. It is trouble only for the addresses that it controls. */
export interface InvalidMailbox {
  readonly username: string;
  readonly wrong: string;
}

/** What a login needs beyond a Mailbox. */
export interface Login extends Mailbox {
  readonly password: string;
  readonly passwordType: string;
}

/** A system account, as getpwnam(3) returns it. */
export interface SystemAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/**
 * Ports. Each returns the rows with one of `names` (lower case), in any order, and throws on trouble:
 * an empty list means that there are none.
 */
export type FindMailboxes = (names: readonly string[]) => Promise<readonly (Mailbox | InvalidMailbox)[]>;
export type FindSystemAccounts = (names: readonly string[]) => Promise<readonly SystemAccount[]>;

/** The owner of a home; or why it is not known. `hidden`: the calling program lacks the permission to look. */
export type Owner =
  | { readonly uid: number }
  | { readonly unusable: string; readonly hidden?: boolean | undefined };

/**
 * Port: stat(2). Throws on a condition that may pass. `claimed` is the uid of the mailbox row with this home; undefined
 * for a system account.
 */
export type HomeOwner = (home: string, claimed?: number) => Owner;
