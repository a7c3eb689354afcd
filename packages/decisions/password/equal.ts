/**
 * Are two byte strings the same? Every byte of `typed` is looked at, wherever they differ, and how long that
 * takes tells nothing of `stored`. Node's timingSafeEqual would load all of node:crypto, a third of a login.
 */
export function equal(typed: string, stored: string): boolean {
  let difference = typed.length ^ stored.length;
  for (let i = 0; i < typed.length; i++) {
    // Past the end of `stored` there is nothing, and the lengths already differ.
    difference |= typed.charCodeAt(i) ^ (stored.charCodeAt(i) | 0);
  }
  return difference === 0;
}
