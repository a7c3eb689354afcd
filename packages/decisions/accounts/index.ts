export type { AuthenticateClient, LoginAnswer, LoginAttempt, OwnsSender } from "./client-login.ts";
export { type Assignment, format, type GetpwPorts, type GetpwSettings, getpw, Held } from "./getpw.ts";
export { mailboxProblem } from "./home.ts";
export {
  authenticate,
  type Credentials,
  type Identity,
  type LoginPorts,
  type LoginSettings,
  type SystemLogin,
  type Verdict,
} from "./login.ts";
export type {
  FindMailboxes,
  FindSystemAccounts,
  HomeOwner,
  InvalidMailbox,
  Login,
  Mailbox,
  Owner,
  SystemAccount,
} from "./mailbox.ts";
export { possibleUsers } from "./possible-users.ts";
