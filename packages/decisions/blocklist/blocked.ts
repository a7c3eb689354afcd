/** A client that is refused as by rblsmtpd. */
export interface Blocked {
  /** The reply to every command but QUIT, HELO, EHLO, MAIL, RSET and NOOP: `451 ` or `553 ` and the text. */
  readonly reply: string;
  /** Seconds until the connection is closed; with 0 the reply is sent at once, instead of a greeting. */
  readonly timeout: number;
}

/** The client, from the environment set by tcpserver. */
export interface BlocklistClient {
  /** TCPREMOTEIP. */
  readonly ip: string;
  /** RBLSMTPD: undefined if not set. */
  readonly rblsmtpd: string | undefined;
}

/** Port: is this client refused before the greeting? Undefined: it is served. Never rejects. */
export type CheckBlocklists = (client: BlocklistClient) => Promise<Blocked | undefined>;
