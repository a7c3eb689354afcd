import { envelope, type Refusal, refusal } from "@qmail-mysql/queue";
import { toBuffer } from "@qmail-mysql/wire";
import { End } from "./end.ts";
import type { Answer } from "./extension.ts";
import { type Hops, MAX_HOPS } from "./hops.ts";
import type { Queue, QueueEnd } from "./ports.ts";
import { received } from "./received.ts";
import { STRAY_BYTE, TOO_BIG, TOO_MANY_HOPS } from "./replies.ts";
import type { Session, Transaction } from "./session.ts";
import { ask, type Steps } from "./steps.ts";

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
}

/** Starts qmail-queue for a message of the transaction, which is over. Undefined if no process can be made. */
export function* openQueue(session: Session, transaction: Transaction): Steps<Outgoing | undefined> {
  const { environment, ports } = session;
  session.transaction = undefined;
  // As in qmail.c, the first message decides for all.
  session.queueProgram ??= environment.get("QMAILQUEUE") ?? "bin/qmail-queue";
  const program = session.queueProgram;
  const queue = yield* ask(() => ports.openQueue(program, environment));
  if (!queue) return undefined;
  const outgoing = { queue, transaction, size: 0, isTooBig: false, hasStray: false, hasFailed: false };
  yield* pass(outgoing, toBuffer(received(session)));
  return outgoing;
}

/** Passes a part of the message on, up to the limit on its size. */
export function* put(session: Session, outgoing: Outgoing, bytes: Uint8Array): Steps<void> {
  const { dataBytes } = session;
  const before = outgoing.size;
  outgoing.size += bytes.length;
  if (outgoing.hasStray) outgoing.hasFailed = true;
  if (dataBytes === 0 || outgoing.size <= dataBytes) return yield* pass(outgoing, bytes);
  if (!outgoing.isTooBig) yield* pass(outgoing, bytes.subarray(0, dataBytes - before));
  outgoing.isTooBig = true;
  outgoing.hasFailed = true;
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
