import { lower } from "@qmail-mysql/wire";
import type { Blocked } from "./blocked.ts";

/** The replies to a refused client, as by rblsmtpd. */
export interface BlockedSession {
  /** To be sent first. */
  readonly greeting: string;
  /** The connection is closed after the greeting. */
  readonly isOver: boolean;
  /** Adds bytes from the client; returns the replies, and whether to close the connection then. */
  receive(bytes: string): { readonly replies: string; readonly isOver: boolean };
}

const NAME = "rblsmtpd.local";
const ACCEPTED = ["helo", "ehlo", "mail", "rset", "noop"];
const MAX_VERB = 5; // bytes kept of a line: enough to tell the verbs from others

/** A refused client may say anything, and gets no further than the reply. */
export function openBlockedSession({ reply, timeout }: Blocked): BlockedSession {
  let line = "";
  const replyTo = (verb: string): string => {
    if (verb === "quit") return `221 ${NAME}\r\n`;
    return ACCEPTED.includes(verb) ? `250 ${NAME}\r\n` : `${reply}\r\n`;
  };
  return {
    greeting: timeout === 0 ? `${reply}\r\n` : `220 ${NAME}\r\n`,
    isOver: timeout === 0,
    receive(bytes) {
      let replies = "";
      const pieces = bytes.split("\n");
      for (const [i, piece] of pieces.entries()) {
        line = (line + piece).slice(0, MAX_VERB + 1);
        if (i === pieces.length - 1) break;
        const verb = lower(line.replace(/\r$|[ \0].*$/s, ""));
        line = "";
        replies += replyTo(verb);
        if (verb === "quit") return { replies, isOver: true };
      }
      return { replies, isOver: false };
    },
  };
}
