import { nulEnded } from "@qmail-mysql/wire";

/** What qmail-queue(8) reads from its descriptor 1. */
export function envelope(sender: string, recipients: readonly string[]): string {
  return `${nulEnded([`F${sender}`, ...recipients.map((recipient) => `T${recipient}`)])}\0`;
}
