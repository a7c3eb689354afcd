import { lower } from "@qmail-mysql/wire";

/**
 * SQL's LIKE: % any run of characters, _ any one, \ takes the next literally; ASCII letters in either case.
 * In linear memory and at most text x pattern steps, whatever a table holds.
 */
export function like(text: string, pattern: string): boolean {
  const wanted = tokens(lower(pattern));
  const given = lower(text);
  let at = 0;
  let token = 0;
  let retryAt = -1; // after the last %: where in text, and which token, to try again from
  let retryToken = -1;
  while (at < given.length) {
    const want = wanted[token];
    if (want === "%") {
      retryToken = token++;
      retryAt = at;
    } else if (want !== undefined && (want === "_" || want === `=${given[at]}`)) {
      token++;
      at++;
    } else if (retryToken >= 0) {
      token = retryToken + 1;
      at = ++retryAt;
    } else {
      return false;
    }
  }
  while (wanted[token] === "%") token++;
  return token === wanted.length;
}

/** How many characters of a pattern stand for themselves: the measure of how specific it is. */
export function literals(pattern: string): number {
  return tokens(pattern).filter((token) => token.startsWith("=")).length;
}

/** "%", "_", or "=" and the character that is meant. */
function tokens(pattern: string): string[] {
  const found: string[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? "";
    if (c === "%" || c === "_") found.push(c);
    else if (c === "\\" && i + 1 < pattern.length) found.push(`=${pattern[++i]}`);
    else found.push(`=${c}`);
  }
  return found;
}
