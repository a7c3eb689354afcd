export {
  type Attempt,
  type Authorization,
  authorize,
  credentials,
  LOGIN_REPLIES,
  type LoginEnding,
  type Mechanism,
  replyAfter,
} from "./authorization.ts";
export { LineInput, type ReadSome, TOO_LONG } from "./line-input.ts";
export { Messages } from "./messages.ts";
export { err, ok } from "./replies.ts";
export { type Client, type Ending, type Maildir, serveMail } from "./serve.ts";
export type { Digest } from "./unique-id.ts";
