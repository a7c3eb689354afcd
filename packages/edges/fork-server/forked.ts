/** How a process ended; "unknown" if nobody could see it. */
export type Ended = { readonly status: number } | { readonly signal: string } | "unknown";

/** A worker process, as seen by its parent. */
export interface Forked {
  pid: number | undefined;
  /** When it was requested: performance.now(). */
  readonly asked: number;
  /** How its process ended; "never" if it was not forked, which another may be; "no fork" if none can be started. */
  ended: Ended | "never" | "no fork" | undefined;
}
