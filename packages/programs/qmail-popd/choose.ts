/** The properties of a worker by which one is chosen. */
export interface Candidate {
  /** "uid:gid" that it has set; undefined for a spare. */
  readonly identity: string | undefined;
  /** Number of its sessions. */
  readonly load: number;
}

export interface Limits {
  /** Maximum number of workers. */
  readonly workers: number;
  /** Maximum number of workers of one uid and gid that are started for their sessions. */
  readonly perUid: number;
  /** Maximum number of sessions of a worker. */
  readonly sessions: number;
  /** Number of workers kept ready for a uid that has none. */
  readonly spares: number;
  /** Seconds without a session after which a worker ends. */
  readonly idle: number;
}

/** The worker to use; or to start one, perhaps after ending another; or that there is no room. */
export type Choice<W> = { readonly use: W } | { readonly start: true; readonly end?: W } | "full";

const BUSY = 8; // sessions of a worker, most of which wait for their clients, before another one is worth its memory

/**
 * Chooses the worker for a session of `identity`: of its own workers the one with the fewest sessions, but while all of
 * them have BUSY and are fewer than `perUid`, a spare or a new one. If the maximum is reached, an idle worker of another
 * identity is ended.
 */
export function choose<W extends Candidate>(
  workers: Iterable<W>,
  identity: string,
  limits: Limits,
): Choice<W> {
  let best: W | undefined;
  let spare: W | undefined;
  let idle: W | undefined;
  let [count, own] = [0, 0];
  for (const worker of workers) {
    count++;
    if (worker.identity === undefined) spare ??= worker;
    else if (worker.identity === identity) {
      own++;
      if (!best || worker.load < best.load) best = worker;
    } else if (worker.load === 0) idle ??= worker;
  }
  const isFull = best !== undefined && best.load >= limits.sessions;
  if (best && (best.load < BUSY || own >= limits.perUid) && !isFull) return { use: best };
  if (spare) return { use: spare };
  if (count < limits.workers) return { start: true };
  if (best && !isFull) return { use: best };
  return idle ? { start: true, end: idle } : "full";
}

/** The number of spares to start. */
export function sparesMissing(workers: Iterable<Candidate>, limits: Limits): number {
  let [count, spares] = [0, 0];
  for (const { identity } of workers) {
    count++;
    if (identity === undefined) spares++;
  }
  return Math.max(0, Math.min(limits.spares - spares, limits.workers - count));
}
