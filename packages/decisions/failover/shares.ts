/**
 * How long a server of a list may take to accept a connection: an even share of the time that is left for it and those
 * after it. One that refuses at once leaves its share to them.
 */
export function connectShareMs(leftMs: number, servers: number): number {
  return Math.max(leftMs / servers, 1);
}

/**
 * Seconds for each of several servers behind connections that stay, of `seconds` for a question: silence of all of them
 * leaves two shares for a question that had to wait before.
 */
export function shareOfSilence(seconds: number, servers: number): number {
  return servers === 1 ? seconds : seconds / (servers + 2);
}
