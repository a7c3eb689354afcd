import type { Command } from "@qmail-mysql/wire";
import type { Messages } from "./messages.ts";
import { capabilities, err, ok } from "./replies.ts";
import { type Digest, uniqueId } from "./unique-id.ts";

/** A session of the TRANSACTION state. */
export interface Session {
  readonly messages: Messages;
  readonly digest: Digest;
  /** 1 for each message that is marked as deleted. */
  readonly deleted: Uint8Array;
  /** The highest message number deleted, for LAST. */
  last: number;
}

export type Action =
  | { readonly reply: Iterable<string> }
  /** Sends `lines` of the body of a message; all if undefined. */
  | { readonly send: number; readonly lines: number | undefined }
  | { readonly quit: true };

const CAPABILITIES = capabilities({ user: true, stls: false, sasl: [] });

export function newSession(messages: Messages, digest: Digest): Session {
  return { messages, digest, deleted: new Uint8Array(messages.count), last: 0 };
}

/** Handles a command as qmail-pop3d does; deletions are marked in `session`. */
export function transact({ verb, arg }: Command, session: Session): Action {
  switch (verb) {
    case "stat":
      return say(ok(status(session)));
    case "list":
      return list(arg, session, (i) => session.messages.size(i));
    case "uidl":
      return list(arg, session, (i) => uniqueId(session.messages.name(i), session.digest));
    case "retr":
    case "top":
      return send(arg, session);
    case "dele": {
      const index = messageIndex(arg, session);
      if (typeof index === "string") return say(err(index));
      session.deleted[index] = 1;
      session.last = Math.max(session.last, index + 1);
      return say(ok());
    }
    case "rset":
      session.deleted.fill(0);
      session.last = 0;
      return say(ok());
    case "last":
      return say(ok(`${session.last}`));
    case "noop":
      return say(ok());
    case "capa":
      return say(CAPABILITIES);
    case "quit":
      return { quit: true };
    default:
      return say(err("unimplemented"));
  }
}

const say = (text: string): Action => ({ reply: [text] });

/** The index of the message whose number `arg` begins with, or the text of an error. */
function messageIndex(arg: string, { messages, deleted }: Session): number | string {
  const digits = /^[0-9]+/.exec(arg)?.[0];
  if (digits === undefined) return "syntax error";
  const number = Number(digits);
  if (number === 0) return "messages are counted from 1";
  if (number > messages.count) return "not that many messages";
  return deleted[number - 1] ? "already deleted" : number - 1;
}

/** The reply to STAT as in qmail-pop3d: the count includes deleted messages, the size does not. */
function status({ messages, deleted }: Session): string {
  let size = 0;
  for (let i = 0; i < messages.count; i++) if (!deleted[i]) size += messages.size(i);
  return `${messages.count} ${size}`;
}

function list(arg: string, session: Session, about: (index: number) => string | number): Action {
  if (arg === "") return { reply: all(session, about) };
  const index = messageIndex(arg, session);
  if (typeof index === "string") return say(err(index));
  return say(ok(`${index + 1} ${about(index)}`));
}

const PIECE = 32768; // approximate number of characters of a listing that are sent at once

function* all({ messages, deleted }: Session, about: (index: number) => string | number): Generator<string> {
  let text = ok();
  for (let index = 0; index < messages.count; index++) {
    if (!deleted[index]) text += `${index + 1} ${about(index)}\r\n`;
    if (text.length >= PIECE) {
      yield text;
      text = "";
    }
  }
  yield `${text}.\r\n`;
}

/** RETR n and TOP n k, which are the same in qmail-pop3d. Without k, or if k is not a number, all lines are sent. */
function send(arg: string, session: Session): Action {
  const index = messageIndex(arg, session);
  if (typeof index === "string") return say(err(index));
  const lines = /^[0-9]+ +([0-9]+)/.exec(arg)?.[1];
  return { send: index, lines: lines === undefined ? undefined : Number(lines) };
}
