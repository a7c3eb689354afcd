import { expect, test } from "vitest";
import { userOf } from "./edge/ident.ts";
import { safe } from "./log.ts";

test.each([
  ["25 , 4711 : USERID : UNIX : joe\r\n", "joe"],
  ["25,4711:USERID:OTHER,US-ASCII: j o\te:x \r\n", "joe:x"],
  ["25 , 4711 : ERROR : NO-USER\r\n", ""],
  ["25 , 4711 : USERID : UNIX : \r\n", ""],
  ["25 , 4711 : USERID : UNIX : never ended", undefined],
  [`1,2:USERID:UNIX:${"x".repeat(1000)}\r\n`, "x".repeat(257)],
  [`1,2:USERID:UNIX:${"x".repeat(1000)}`, "x".repeat(257)],
  ["1,2:USERID:UNIX:nul\0nul\r\n", "nul"],
])("ident's %j names %j", (reply, user) => expect(userOf(reply)).toBe(user));

test("names in the log: characters with a meaning in the log are replaced", () => {
  expect(safe("a b:c%\n\xff")).toBe("a?b?c???");
  expect(safe("x".repeat(100))).toBe("x".repeat(100));
  expect(safe("x".repeat(101))).toBe(`${"x".repeat(100)}...`);
  expect(safe(undefined)).toBe("");
});
