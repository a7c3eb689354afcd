/**
 * Time for a server of a list to accept a connection: an even share of the time that remains for it and those after
 * it. If it refuses at once, its share remains for them.
 */
export function connectShareMs(leftMs: number, servers: number): number {
  return Math.max(leftMs / servers, 1);
}

/**
 * With persistent connections to several servers, the part of the `seconds` for a question after which a server that
 * does not respond has failed. If all fail, two shares remain for the time that the question waited before.
 */
export function shareOfSilence(seconds: number, servers: number): number {
  return servers === 1 ? seconds : seconds / (servers + 2);
}
