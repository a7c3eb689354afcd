import { lower } from "@qmail-mysql/wire";

/** A .qmail file to try. */
export interface Candidate {
  readonly file: string;
  /** $DEFAULT if this file is used; undefined leaves it unchanged. */
  readonly defaultPart: string | undefined;
  /** It is for any extension. */
  readonly isDefault: boolean;
}

/** The extension as used in file names, with dots as colons and in lower case: qmail-local(8). */
export function safeExtension(ext: string): string {
  return lower(ext).replaceAll(".", ":");
}

const DEFAULT = "default";

/**
 * The .qmail files for an address, in the order in which they are tried: dot-qmail(5).
 *
 *     -, foo-bar   .qmail-foo-bar  .qmail-foo-default  .qmail-default
 */
export function* candidates(dash: string, ext: string): Generator<Candidate> {
  const safe = safeExtension(ext);
  yield {
    file: `.qmail${dash}${safe}`,
    defaultPart: safe.endsWith(DEFAULT) ? ext.slice(-DEFAULT.length) : undefined,
    isDefault: false,
  };
  for (let end = safe.length; end >= 0; end--) {
    if (end > 0 && safe[end - 1] !== "-") continue;
    yield {
      file: `.qmail${dash}${safe.slice(0, end)}${DEFAULT}`,
      defaultPart: ext.slice(end),
      isDefault: true,
    };
  }
}
