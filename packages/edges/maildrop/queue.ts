import { afterQueue, Failure, unforwarded } from "@qmail-mysql/delivery";
import { envelope } from "@qmail-mysql/queue";
import { type SpooledQueue, spooledQueue } from "@qmail-mysql/queue-program";
import { SOFT } from "@qmail-mysql/trouble";

/** A message for qmail-queue. */
export interface Outgoing {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** Text written before the message. */
  readonly head: string;
  readonly message: Iterable<Uint8Array>;
  readonly env: Readonly<Record<string, string>>;
  readonly qmailHome: string;
  /** Descriptor 2 of qmail-queue. */
  readonly err: number;
}

/** Passes a message to qmail-queue, or to $QMAILQUEUE, even if that is empty, as in qmail; returns its pid. Throws Failure. */
export function queueMessage(outgoing: Outgoing): number {
  const { sender, recipients, head, message } = outgoing;
  const program = process.env.QMAILQUEUE ?? "bin/qmail-queue";
  let queue: SpooledQueue | undefined;
  try {
    queue = spooledQueue({ ...outgoing, program });
    queue.put(head);
    for (const piece of message) queue.put(piece);
    const { ended, custom } = queue.close(envelope(sender, recipients));
    afterQueue(ended, custom);
    return ended.pid;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw unforwarded(SOFT, "qq write error or disk full (#4.3.0)");
  } finally {
    queue?.abandon();
  }
}
