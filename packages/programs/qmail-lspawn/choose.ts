/** The properties of a worker by which one is chosen. */
export interface Candidate {
  /** "uid:gid" that it has set; undefined for a spare. */
  readonly identity: string | undefined;
  readonly isBusy: boolean;
  /** It has ended or accepts no more deliveries. */
  readonly isOver: boolean;
  /** Number of deliveries it has made. */
  readonly made: number;
}

export interface Limits {
  /** Maximum number of workers. */
  readonly workers: number;
  /** Number of workers kept ready for a uid that has none. */
  readonly spares: number;
  /** Seconds without a delivery after which a worker ends. */
  readonly idle: number;
}

/** The worker to use; or to start one, perhaps after ending another; or to wait. */
export type Choice<W> = { readonly use: W } | { readonly start: true; readonly end?: W } | "wait";

/**
 * Chooses the worker for a delivery to `identity`: an idle worker with that identity, the most recently used, so that
 * the others reach the idle limit; else a spare; else a new one. Concurrent deliveries for an identity use as many
 * workers: each mostly waits for the disk, and one commit of the journal serves all. If the maximum is reached, an idle
 * worker whose identity is not `wanted` by others is ended: the one with the fewest deliveries, since a user with much
 * mail is likely to get more; of these the youngest, since ending the oldest would, with users in turn, always end the
 * one that is needed next.
 */
export function choose<W extends Candidate>(
  workers: Iterable<W>,
  identity: string,
  wanted: ReadonlySet<string>,
  limits: Limits,
): Choice<W> {
  let own: W | undefined;
  let spare: W | undefined;
  let least: W | undefined;
  let count = 0;
  for (const worker of workers) {
    count++;
    if (worker.isBusy || worker.isOver) continue;
    if (worker.identity === identity) own = worker;
    else if (worker.identity === undefined) spare = worker;
    else if (!wanted.has(worker.identity) && (!least || worker.made <= least.made)) least = worker;
  }
  if (own) return { use: own };
  if (spare) return { use: spare };
  if (count < limits.workers) return { start: true };
  return least ? { start: true, end: least } : "wait";
}

/** The number of spares to start. */
export function sparesMissing(workers: Iterable<Candidate>, limits: Limits): number {
  let [count, spares] = [0, 0];
  for (const { identity, isBusy, isOver } of workers) {
    count++;
    if (identity === undefined && !isBusy && !isOver) spares++;
  }
  return Math.max(0, Math.min(limits.spares - spares, limits.workers - count));
}
