import { envelope, type Refusal, refusal } from "@qmail-mysql/queue";
import { ask, type Steps } from "@qmail-mysql/steps";
import { byteString, toBuffer } from "@qmail-mysql/wire";
import { End } from "./end.ts";
import type { Answer } from "./extension.ts";
import { type Hops, MAX_HOPS } from "./hops.ts";
import type { Queue, QueueEnd } from "./ports.ts";
import { received } from "./received.ts";
import { STRAY_BYTE, TOO_BIG, TOO_MANY_HOPS } from "./replies.ts";
import type { Session, Transaction } from "./session.ts";

const MAX_HEADER = 262_144; // bytes kept to look at

/** A message that is being passed to qmail-queue. */
export interface Outgoing {
  readonly queue: Queue;
  readonly transaction: Transaction;
  /** Bytes so far, without the Received field. */
  size: number;
  isTooBig: boolean;
  /** It has a NUL, or a CR without LF. */
  hasStray: boolean;
  /** It will not be queued, and the rest of it is not passed on. */
  hasFailed: boolean;
  /** The beginning of the header, which is not passed on before its end; undefined if nobody wants to see it. */
  header: string | undefined;
}

/** Starts qmail-queue for a message of the transaction, which is over. Undefined if no process can be made. */
export function* openQueue(session: Session, transaction: Transaction): Steps<Outgoing | undefined> {
  const { environment, ports } = session;
  session.transaction = undefined;
  session.lastTransaction = transaction;
  // As in qmail.c, the first message decides for all.
  session.queueProgram ??= environment.get("QMAILQUEUE") ?? "bin/qmail-queue";
  const program = session.queueProgram;
  const queue = yield* ask(() => ports.openQueue(program, environment));
  if (!queue) return undefined;
  const header = session.extensions.some(({ atHeader }) => atHeader) ? "" : undefined;
  const outgoing: Outgoing = {
    queue,
    transaction,
    size: 0,
    isTooBig: false,
    hasStray: false,
    hasFailed: false,
    header,
  };
  yield* pass(outgoing, toBuffer(received(session) + session.header));
  session.header = "";
  return outgoing;
}

/** Passes a part of the message on, up to the limit on its size. */
export function* put(session: Session, outgoing: Outgoing, bytes: Uint8Array): Steps<void> {
  const { dataBytes } = session;
  const before = outgoing.size;
  outgoing.size += bytes.length;
  if (outgoing.hasStray) outgoing.hasFailed = true;
  if (dataBytes === 0 || outgoing.size <= dataBytes) return yield* passOn(session, outgoing, bytes);
  if (!outgoing.isTooBig) yield* passOn(session, outgoing, bytes.subarray(0, dataBytes - before));
  outgoing.isTooBig = true;
  outgoing.hasFailed = true;
}

/** Passes a part on, or keeps it while the header is not complete. */
function* passOn(session: Session, outgoing: Outgoing, bytes: Uint8Array): Steps<void> {
  if (outgoing.header === undefined) return yield* pass(outgoing, bytes);
  const header = outgoing.header + byteString(bytes, bytes.length);
  if (header.length > MAX_HEADER) {
    outgoing.header = undefined; // nothing is added to what cannot be seen
    return yield* pass(outgoing, toBuffer(header));
  }
  const isComplete = header.startsWith("\n") || header.includes("\n\n");
  outgoing.header = header;
  if (isComplete) yield* passHeader(session, outgoing);
}

function* passHeader(session: Session, outgoing: Outgoing): Steps<void> {
  const { header } = outgoing;
  if (header === undefined) return;
  outgoing.header = undefined;
  const [own = ""] = header.startsWith("\n") ? [] : header.split("\n\n", 1);
  const added = session.extensions.map(({ atHeader }) => atHeader?.(session, `${own}\n`) ?? "").join("");
  yield* pass(outgoing, toBuffer(added + header));
}

function* pass(outgoing: Outgoing, bytes: Uint8Array): Steps<void> {
  if (outgoing.hasFailed || bytes.length === 0) return;
  if (!(yield* ask(() => outgoing.queue.put(bytes)))) outgoing.hasFailed = true;
}

/** Passes the envelope, and returns the reply when qmail-queue has ended. */
export function* closeQueue(session: Session, outgoing: Outgoing, hops: Hops): Answer {
  const { ports } = session;
  const { queue, transaction } = outgoing;
  // A client that will not see the reply sends the message again.
  if (session.input.length === 0 && !(yield* ask(ports.isThere))) throw new End(1);
  yield* passHeader(session, outgoing);
  transaction.messageSize = outgoing.size;
  const isLooping = hops.count >= MAX_HOPS;
  if (isLooping || outgoing.hasStray) outgoing.hasFailed = true;
  const { sender, recipients } = transaction;
  const ended = yield* ask(() => queue.close(outgoing.hasFailed ? "" : envelope(sender, recipients)));
  const why = refusalOf(ended, outgoing.hasFailed);
  if (!why) return `250 ok ${Math.floor(ports.now() / 1000)} qp ${ended.pid}`;
  if (isLooping) return TOO_MANY_HOPS;
  if (outgoing.isTooBig) return TOO_BIG;
  if (outgoing.hasStray) return STRAY_BYTE;
  return `${why.isPermanent ? "554" : "451"} ${why.text}`;
}

const READ_ERROR = 54; // exit code of qmail-queue: the envelope was not complete

function refusalOf({ code, custom, isComplete }: QueueEnd, hasFailed: boolean): Refusal | undefined {
  return refusal(code === 0 && (hasFailed || !isComplete) ? READ_ERROR : code, custom);
}
