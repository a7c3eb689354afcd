import { expect, test } from "vitest";
import { Messages } from "./messages.ts";

function listed(files: readonly (readonly [string, number])[]) {
  const messages = new Messages();
  for (const [name, mtime] of files) {
    const bytes = Buffer.from(`/${name}\0`, "latin1");
    messages.add(bytes, 1, bytes.length - 1, name.includes("n"), mtime, name.length);
  }
  messages.sort();
  return Array.from({ length: messages.count }, (_, i) => [
    messages.name(i),
    messages.isNew(i),
    messages.size(i),
  ]);
}

test("none", () => expect(listed([])).toEqual([]));

test("by age, within a second by the bytes of the name", () =>
  expect(
    listed([
      ["c", 5],
      ["b\xff", 5],
      ["an", 9],
      ["b", 5],
      ["z", -7],
    ]).map(([name]) => name),
  ).toEqual(["z", "b", "b\xff", "c", "an"]));

test.each([1, 2 ** 33])("many, with times %d apart, are in the order of a sort of their own", (apart) => {
  const files = Array.from({ length: 5000 }, (_, i) => {
    const mixed = (i * 7919) % 5000;
    return [`${mixed}${mixed % 3 === 0 ? "n" : ""}`, Math.floor(mixed / 4) * apart] as const;
  });
  const expected = [...files].sort(([a, s], [b, t]) => s - t || (a < b ? -1 : 1));
  expect(listed(files)).toEqual(expected.map(([name]) => [name, name.includes("n"), name.length]));
});
