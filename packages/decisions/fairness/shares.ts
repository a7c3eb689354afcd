/** A limited number of members, for example connections, by owner (a uid). */
export interface Shares<T extends object> {
  /**
   * May `owner` have one more? If so, returns the member to close for it, which has been removed here; undefined if
   * there is room. "refused" if there is no room and no member can be closed.
   */
  admit(owner: number): { readonly close: T | undefined } | "refused";
  add(owner: number, member: T): void;
  /** Marks a member as busy: it is not closed for another. */
  busy(member: T): void;
  /** Marks a member as idle from now on. */
  idle(member: T): void;
  remove(member: T): void;
  members(): Iterable<T>;
  readonly size: number;
}

interface Owner<T> {
  readonly isPrivileged: boolean;
  /** The longest idle first. */
  readonly idle: Set<T>;
  readonly busy: Set<T>;
}

/**
 * At most `total` members. A quarter of the places is reserved for privileged owners; any other owner has at most half
 * of the rest. If there is no room, the unprivileged owner with the most members loses the one idle for longest, but
 * not to an unprivileged owner that has as many members.
 */
export function openShares<T extends object>(
  total: number,
  isPrivileged: (owner: number) => boolean,
): Shares<T> {
  const common = Math.max(1, total - Math.floor(total / 4));
  const most = Math.max(1, Math.floor(common / 2));
  const owners = new Map<number, Owner<T>>();
  const ownerOf = new Map<T, number>();
  let unprivileged = 0;

  const count = ({ idle, busy }: Owner<T>) => idle.size + busy.size;
  const newOwner = (id: number): Owner<T> => ({
    isPrivileged: isPrivileged(id),
    idle: new Set(),
    busy: new Set(),
  });
  const longestIdle = (owner: Owner<T> | undefined): T | undefined =>
    owner?.idle.values().next().value as T | undefined;

  /** The longest idle member of the unprivileged owner with the most members, if it has more than `than`. */
  function ofLargest(than: number): T | undefined {
    let largest: Owner<T> | undefined;
    for (const owner of owners.values()) {
      if (owner.isPrivileged || owner.idle.size === 0) continue;
      if (count(owner) > (largest ? count(largest) : than)) largest = owner;
    }
    return longestIdle(largest);
  }

  function remove(member: T): void {
    const id = ownerOf.get(member);
    const owner = id === undefined ? undefined : owners.get(id);
    if (id === undefined || !owner) return;
    ownerOf.delete(member);
    owner.idle.delete(member);
    owner.busy.delete(member);
    if (!owner.isPrivileged) unprivileged--;
    if (count(owner) === 0) owners.delete(id);
  }

  function place(mine: Owner<T>): { readonly close: T | undefined } | "refused" {
    const own = count(mine);
    const isOver = !mine.isPrivileged && own >= most;
    const isFull = ownerOf.size >= total || (!mine.isPrivileged && unprivileged >= common);
    if (!isOver && !isFull) return { close: undefined };
    const close = (isOver ? undefined : ofLargest(mine.isPrivileged ? 0 : own)) ?? longestIdle(mine);
    return close ? { close } : "refused";
  }

  return {
    admit(id) {
      const answer = place(owners.get(id) ?? newOwner(id));
      if (answer !== "refused" && answer.close) remove(answer.close);
      return answer;
    },
    add(id, member) {
      const owner = owners.get(id) ?? newOwner(id);
      owners.set(id, owner);
      owner.idle.add(member);
      ownerOf.set(member, id);
      if (!owner.isPrivileged) unprivileged++;
    },
    busy(member) {
      const owner = owners.get(ownerOf.get(member) ?? -1);
      if (owner?.idle.delete(member)) owner.busy.add(member);
    },
    idle(member) {
      const owner = owners.get(ownerOf.get(member) ?? -1);
      if (!owner) return;
      owner.busy.delete(member);
      owner.idle.delete(member);
      owner.idle.add(member);
    },
    remove,
    members: () => ownerOf.keys(),
    get size() {
      return ownerOf.size;
    },
  };
}
