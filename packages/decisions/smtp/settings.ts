import type { Ip } from "@qmail-mysql/wire";

/** What the control files say at the start of a session: qmail-smtpd(8). */
export interface Settings {
  /** control/smtpgreeting, else control/me. */
  readonly greeting: string;
  /** control/localiphost, else control/me: replaces an address literal of this host. Undefined if there is neither. */
  readonly localIpHost: string | undefined;
  /** Milliseconds: control/timeoutsmtpd. */
  readonly timeout: number;
  /** Entries in lower case; undefined if there is no such file. */
  readonly rcptHosts: ReadonlySet<string> | undefined;
  /** Is the key in control/morercpthosts.cdb? Throws if the file cannot be used. */
  readonly isInMoreRcptHosts: (key: string) => boolean;
  /** Entries in lower case. */
  readonly badMailFrom: ReadonlySet<string>;
  /** control/databytes; 0: no limit. */
  readonly dataBytes: number;
  /** Refuses a message with a NUL, or a CR without LF, which other programs see as the end of a line. */
  readonly refusesStray: boolean;
  /** Is it an IPv4 address of this host? */
  readonly isLocalIp: (ip: Ip) => boolean;
}
