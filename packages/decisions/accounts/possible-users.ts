/** One way to read a local part as user and extension. */
export interface PossibleUser {
  readonly user: string;
  readonly dash: "" | "-";
  readonly ext: string;
}

/**
 * Every way to read `local` as user and extension, longest user first.
 * The dash is always "-", also with another break character: qmail-getpw(8).
 *
 *     joe-work-x   joe-work-x|""|""   joe-work|-|x   joe|-|work-x
 */
export function possibleUsers(local: string, breakChar: string): PossibleUser[] {
  const ways: PossibleUser[] = local === "" ? [] : [{ user: local, dash: "", ext: "" }];
  for (let at = local.lastIndexOf(breakChar); at > 0; at = local.lastIndexOf(breakChar, at - 1)) {
    ways.push({ user: local.slice(0, at), dash: "-", ext: local.slice(at + 1) });
  }
  return ways;
}
