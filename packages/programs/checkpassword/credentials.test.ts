import { expect, test } from "vitest";
import { parseCredentials } from "./credentials.ts";

test.each([
  ["joe\0secret\0<1.2@h>\0", { login: "joe", password: "secret", challenge: "<1.2@h>" }],
  ["joe\0secret\0<1.2@h>\0more\0", { login: "joe", password: "secret", challenge: "<1.2@h>" }],
  // AUTH PLAIN has no timestamp; one that is not terminated is ignored
  ["joe\0secret\0", { login: "joe", password: "secret", challenge: "" }],
  ["joe\0secret\0<1.2@h>", { login: "joe", password: "secret", challenge: "" }],
  ["\0\0\0", { login: "", password: "", challenge: "" }],
  ["\xff\0\xfe\0", { login: "\xff", password: "\xfe", challenge: "" }],
  ["", undefined],
  ["joe", undefined],
  ["joe\0", undefined],
  ["joe\0secret", undefined],
])("%j", (bytes, expected) => {
  expect(parseCredentials(bytes)).toEqual(expected);
});
