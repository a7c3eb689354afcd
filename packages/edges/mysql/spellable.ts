import type { Row, Value } from "@qmail-mysql/database";

// ER_CANT_AGGREGATE_2COLLATIONS, _3COLLATIONS and _NCOLLATIONS of MySQL and MariaDB
const UNSPELLABLE = new Set([1267, 1270, 1271]);
/** Replaces a value that no row can equal; callers compare the rows anyway. */
const NOBODY = "\x7fnot in this character set\x7f";

/**
 * Asks with `values`. A server refuses to compare a latin1 column with a value that latin1 cannot represent, although
 * the correct result is that no row has it. In that case each doubtful value is tried alone, and the refused ones are
 * replaced: an address in Greek must not defer mail for the other addresses in the same question.
 */
export async function withSpellable(
  values: readonly Value[],
  ask: (values: readonly Value[]) => Promise<Row[]>,
): Promise<Row[]> {
  try {
    return await ask(values);
  } catch (error) {
    if (!isUnspellable(error)) throw error;
  }
  const isDoubtful = (value: Value) => typeof value === "string" && /[^\0-\x7f]/.test(value);
  const spelt: Value[] = values.map((value) => (isDoubtful(value) ? NOBODY : value));
  for (const [i, value] of values.entries()) {
    if (!isDoubtful(value)) continue;
    const alone = values.map((other, j) => (j !== i && isDoubtful(other) ? NOBODY : other));
    try {
      await ask(alone);
      spelt[i] = value;
    } catch (error) {
      if (!isUnspellable(error)) throw error;
    }
  }
  return ask(spelt);
}

function isUnspellable(error: unknown): boolean {
  const cause = (error as { cause?: { errno?: unknown } }).cause;
  return UNSPELLABLE.has(Number(cause?.errno));
}
