import type { Credentials } from "./login.ts";

/** An attempt of a client to log in, such as SMTP AUTH. Strings are byte strings. */
export interface LoginAttempt extends Credentials {
  /** With CRAM-MD5 `password` is the response, 32 lower-case hexadecimal digits, and `challenge` the text sent. */
  readonly mechanism: "PLAIN" | "LOGIN" | "CRAM-MD5";
  /** For the login log: smtp, submission or submissions. */
  readonly service: string;
  /** TCPREMOTEIP and TCPLOCALPORT; empty if unknown. */
  readonly client: { readonly address: string; readonly port: string };
  /** The environment of the session, NAME=value, for a checkpassword program. */
  readonly environment: readonly string[];
}

/** `login` is what the client sent; `user` its mailbox, undefined if a checkpassword program decided. */
export type LoginAnswer =
  | { readonly accepted: { readonly login: string; readonly user: string | undefined } }
  | { readonly refused: string }
  | { readonly trouble: string };

/** Port: checks a login, within a time limit. Never rejects. */
export type AuthenticateClient = (attempt: LoginAttempt) => Promise<LoginAnswer>;

/** Port: may this login send mail with this envelope sender, which is not empty? Never rejects. */
export type OwnsSender = (
  login: string,
  sender: string,
) => Promise<{ readonly owns: boolean } | { readonly trouble: string }>;
