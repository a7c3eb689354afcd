import { lower } from "@qmail-mysql/wire";

/**
 * LIKE of SQL: % matches any characters, _ any one, \ makes the next one literal; ASCII letters match in either case.
 * Takes linear memory and at most text x pattern steps.
 */
export function like(text: string, pattern: string): boolean {
  const wanted = tokens(lower(pattern));
  const given = lower(text);
  let at = 0;
  let token = 0;
  let retryAt = -1; // where to continue in text, and with which token, after the last %
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

/** The number of literal characters of a pattern: how specific it is. */
export function literals(pattern: string): number {
  return tokens(pattern).filter((token) => token.startsWith("=")).length;
}

/** Tokens: "%", "_", or "=" and a literal character. */
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
