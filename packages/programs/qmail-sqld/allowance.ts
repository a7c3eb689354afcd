/** Limits the number of addresses for which a mailbox opens the relay. */
export interface Allowance {
  /** Counts `address` for the mailbox and returns true; false if the mailbox has reached the limit. */
  take(mailbox: string, address: string): boolean;
}

const MAX_KEPT = 100_000; // addresses of all mailboxes; the least recently used mailboxes are forgotten first

/** At most `most` addresses per mailbox within `ms` milliseconds. */
export function openAllowance(most: number, ms: number, now: () => number): Allowance {
  const mailboxes = new Map<string, Map<string, number>>(); // both in the order of their last use
  let kept = 0;

  return {
    take(mailbox, address) {
      const addresses = mailboxes.get(mailbox) ?? new Map<string, number>();
      kept -= addresses.size;
      mailboxes.delete(mailbox);
      for (const [old, at] of addresses) {
        if (now() - at < ms) break;
        addresses.delete(old);
      }
      const may = addresses.delete(address) || addresses.size < most;
      if (may) addresses.set(address, now());
      mailboxes.set(mailbox, addresses);
      kept += addresses.size;
      for (const [oldest, { size }] of mailboxes) {
        if (kept <= MAX_KEPT) break;
        mailboxes.delete(oldest);
        kept -= size;
      }
      return may;
    },
  };
}
