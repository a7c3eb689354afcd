/** A worker, as far as the choice among them goes. */
export interface Candidate {
  /** "uid:gid" once it has become them; undefined of a spare. */
  readonly identity: string | undefined;
  readonly isBusy: boolean;
  /** Nothing can be given to it any more. */
  readonly isOver: boolean;
  /** Deliveries it has made. */
  readonly made: number;
}

export interface Limits {
  /** Workers at once. */
  readonly workers: number;
  /** Those kept ready for a uid that has none. */
  readonly spares: number;
  /** Seconds without a delivery after which one ends. */
  readonly idle: number;
}

/** The worker to use; or that one is to be started, in another's place perhaps; or that there is none for now. */
export type Choice<W> = { readonly use: W } | { readonly start: true; readonly end?: W } | "wait";

/**
 * Who makes a delivery for `identity`: an idle worker of its own, the one used last, so that the others become old;
 * else a spare; else a new one. Many deliveries for one identity are as many workers: each waits for the disk most of
 * the time, and what a journal commits for one it commits for all. Where there are as many as may be, an idle one
 * ends for it: of those whose identities are not `wanted` by others the one with the fewest deliveries, for users who
 * get much mail get more; of these the youngest, because the oldest would be ended always just before its turn where
 * users take turns.
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

/** How many spares to start. */
export function sparesMissing(workers: Iterable<Candidate>, limits: Limits): number {
  let [count, spares] = [0, 0];
  for (const { identity, isBusy, isOver } of workers) {
    count++;
    if (identity === undefined && !isBusy && !isOver) spares++;
  }
  return Math.max(0, Math.min(limits.spares - spares, limits.workers - count));
}
