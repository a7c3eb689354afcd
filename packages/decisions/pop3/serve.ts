import { ask, type Maybe, type Steps } from "@qmail-mysql/steps";
import { parseCommand } from "@qmail-mysql/wire";
import { type LineInput, type ReadSome, TOO_LONG } from "./line-input.ts";
import type { Messages } from "./messages.ts";
import { err, ok, TOO_LONG_REPLY } from "./replies.ts";
import { stuffing } from "./stuffing.ts";
import { newSession, type Session, transact } from "./transaction.ts";
import type { Digest } from "./unique-id.ts";

/** Port: the client. Both throw if it is gone, or takes longer than the time limit. */
export interface Client {
  readonly read: ReadSome;
  readonly write: (data: string | Uint8Array) => Maybe<unknown>;
}

/** Port: a Maildir. Routines that take long yield in between, so that other sessions are served. */
export interface Maildir {
  /** The messages, in order; or the text of an error. */
  open(): Steps<Messages | string>;
  /** The bytes of a message, piece by piece, each valid until the next; undefined if it cannot be opened. */
  pieces(messages: Messages, index: number): Iterator<Uint8Array> | undefined;
  /** False if it cannot be deleted. */
  remove(messages: Messages, index: number): boolean;
  /** Moves a message of new/ to cur/; if that fails it stays in new/. */
  markOld(messages: Messages, index: number): void;
}

/**
 * How a session ended: with QUIT, or without it; refused, since there is no usable Maildir; or cut, since a message that
 * was being sent became unreadable, which only the end of the connection can tell.
 */
export type Ending = "quit" | "gone" | "refused" | "cut";

/** Serves a client from the greeting of the TRANSACTION state to the end of its session, as qmail-pop3d does. */
export function* serveMail(
  client: Client,
  input: LineInput,
  maildir: Maildir,
  digest: Digest,
): Steps<Ending> {
  const messages = yield* maildir.open();
  if (typeof messages === "string") {
    yield* ask(() => client.write(err(messages)));
    return "refused";
  }
  yield* ask(() => client.write(ok()));
  const session = newSession(messages, digest);
  for (;;) {
    const line = yield* input.next();
    if (line === undefined) return "gone";
    if (line === TOO_LONG) {
      yield* ask(() => client.write(TOO_LONG_REPLY));
      continue;
    }
    const action = transact(parseCommand(line), session);
    if ("quit" in action) {
      yield* quit(session, client, maildir);
      return "quit";
    }
    if ("send" in action) {
      const isWhole = yield* send(action.send, action.lines, session, client, maildir);
      if (!isWhole) return "cut";
    } else for (const text of action.reply) yield* ask(() => client.write(text));
  }
}

/** Sends a message; false if it becomes unreadable. */
function* send(
  index: number,
  lines: number | undefined,
  { messages }: Session,
  client: Client,
  maildir: Maildir,
): Steps<boolean> {
  const pieces = maildir.pieces(messages, index);
  if (!pieces) {
    yield* ask(() => client.write(err("unable to open that message")));
    return true;
  }
  const { push, done, end } = stuffing(lines);
  // What precedes and follows a piece is sent with it: a short message is one packet.
  let before: Uint8Array = Buffer.from(ok());
  try {
    for (;;) {
      const piece = next(pieces);
      if (piece === "unreadable") return false;
      if (!piece) break;
      const text = Buffer.concat([before, push(piece)]);
      before = text;
      if (done()) break;
      if (piece.length < ENOUGH && text.length < ENOUGH) continue;
      yield* ask(() => client.write(text));
      before = NOTHING;
    }
  } finally {
    pieces.return?.();
  }
  const last = Buffer.concat([before, Buffer.from(end())]);
  yield* ask(() => client.write(last));
  return true;
}

const ENOUGH = 16_384; // bytes that are sent before the next piece is read
const NOTHING = new Uint8Array(0);

function next(pieces: Iterator<Uint8Array>): Uint8Array | "unreadable" | undefined {
  try {
    const { done, value } = pieces.next();
    return done ? undefined : value;
  } catch {
    return "unreadable";
  }
}

const PER_TURN = 256; // messages before other sessions are served

/** The UPDATE state: deletes marked messages and moves the others from new/ to cur/. */
function* quit({ messages, deleted }: Session, client: Client, maildir: Maildir): Steps<void> {
  for (let index = 0; index < messages.count; index++) {
    if (index % PER_TURN === PER_TURN - 1) yield undefined;
    if (!deleted[index]) maildir.markOld(messages, index);
    else if (!maildir.remove(messages, index)) {
      yield* ask(() => client.write(err("unable to unlink all deleted messages")));
    }
  }
  yield* ask(() => client.write(ok()));
}
