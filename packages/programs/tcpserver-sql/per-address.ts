/** Counts the connections of each address, of which it allows `most`; 0 is no limit. */
export class PerAddress {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** False if the address has as many as allowed; else leave has to follow. */
  enter(ip: string): boolean {
    const count = this.#counts.get(ip) ?? 0;
    if (this.#most > 0 && count >= this.#most) return false;
    this.#counts.set(ip, count + 1);
    return true;
  }

  leave(ip: string | undefined): void {
    const count = ip === undefined ? undefined : this.#counts.get(ip);
    if (ip === undefined || count === undefined) return;
    if (count > 1) this.#counts.set(ip, count - 1);
    else this.#counts.delete(ip);
  }
}
