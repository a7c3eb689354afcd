/**
 * Are two byte strings equal? Every byte of `typed` is compared, wherever they differ, so that the time reveals nothing
 * about `stored`. Node's timingSafeEqual would load all of node:crypto, a third of the time of a login.
 */
export function equal(typed: string, stored: string): boolean {
  let difference = typed.length ^ stored.length;
  for (let i = 0; i < typed.length; i++) {
    // Beyond the end of `stored` charCodeAt is NaN; the lengths already differ.
    difference |= typed.charCodeAt(i) ^ (stored.charCodeAt(i) | 0);
  }
  return difference === 0;
}
