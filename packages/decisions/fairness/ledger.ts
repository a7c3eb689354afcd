/** Bytes held by members, for example connections, by owner (a uid). */
export interface Ledger<T> {
  /** Notes how much `member` holds now. Returns the member to close if the total is above the limit. */
  note(owner: number, member: T, amount: number): T | undefined;
  readonly total: number;
}

/** Above a total of `limit`, the member to close is the largest one of the owner with the largest sum. */
export function openLedger<T>(limit: number): Ledger<T> {
  const owners = new Map<number, { readonly members: Map<T, number>; sum: number }>();
  let total = 0;

  function largest(): T | undefined {
    let owner: { readonly members: Map<T, number>; sum: number } | undefined;
    for (const one of owners.values()) if (!owner || one.sum > owner.sum) owner = one;
    let member: T | undefined;
    let most = 0;
    for (const [one, amount] of owner?.members ?? []) {
      if (amount > most) [member, most] = [one, amount];
    }
    return member;
  }

  return {
    note(id, member, amount) {
      const owner = owners.get(id) ?? { members: new Map<T, number>(), sum: 0 };
      const change = amount - (owner.members.get(member) ?? 0);
      owner.sum += change;
      total += change;
      if (amount > 0) owner.members.set(member, amount);
      else owner.members.delete(member);
      if (owner.members.size > 0) owners.set(id, owner);
      else owners.delete(id);
      return total > limit ? largest() : undefined;
    },
    get total() {
      return total;
    },
  };
}
