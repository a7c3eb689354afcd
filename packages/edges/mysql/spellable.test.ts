import { expect, test } from "vitest";
import { withSpellable } from "./spellable.ts";

/** A table of names in latin1, and a server that refuses values that latin1 cannot represent. */
async function latin1(names: readonly string[], asked: readonly (string | number)[]) {
  if (asked.some((value) => /[^\0-\xff]/.test(String(value))))
    throw new Error("Illegal mix", { cause: { errno: 1271 } });
  return names.filter((name) => asked.includes(name)).map((username) => ({ username }));
}

test.each([
  [["jos\u00e9", "jose"], ["jos\u00e9"]],
  [
    ["\u03b1", "jos\u00e9", "\u03b2", "iain"],
    ["jos\u00e9", "iain"],
  ],
  [["\u03b1", "\u03b1"], []],
  [["nobody", "\u03b1"], []],
])("asked for %j: what can be spelt is found", async (asked, expected) => {
  const rows = await withSpellable(asked, (values) => latin1(["iain", "jos\u00e9"], values));
  expect(rows.map((row) => row.username).sort()).toEqual([...expected].sort());
});

test("other errors are passed on", async () => {
  const lost = new Error("connection lost");
  await expect(withSpellable(["\u03b1"], () => Promise.reject(lost))).rejects.toBe(lost);
});
