import { expect, test } from "vitest";
import { json, table } from "./table.ts";

const plain = (text: string) => text;

test("columns line up, by characters and not by bytes; an empty value is a -", () => {
  expect(
    table(
      ["name", "home"],
      [
        ["jos\xc3\xa9", "/a"],
        ["x", ""],
      ],
      plain,
    ),
  ).toBe("name  home\njos\xc3\xa9  /a\nx     -\n");
});

test("a value cannot move the cursor or add a line", () => {
  expect(table(["n"], [["a\x1b[2Jb\nc"]], plain)).toBe("n\na?[2Jb?c\n");
});

test("JSON is UTF-8, whatever the bytes", () => {
  expect(json({ a: "jos\xc3\xa9", b: "\xff" })).toBe(`{\n  "a": "jos\xc3\xa9",\n  "b": "\xef\xbf\xbd"\n}\n`);
});
