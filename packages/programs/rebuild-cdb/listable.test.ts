import { expect, test } from "vitest";
import { listable, type RecipientNames } from "./listable.ts";

const NAMES: RecipientNames = {
  controls: {
    locals: new Set(["h.example"]),
    virtualdomains: new Map([
      ["v.com", "v.com"],
      ["by.hand", "joe"],
      ["gone.com", ""],
      ["one@v.com", "joe-one"],
    ]),
  },
  virtual: new Map([["v.com", ["sales", ""]]]),
  patterns: [],
  aliases: ["v.com-info", "v.com-both@v.com", "other.com-x", "@"],
  files: ["v:com-dot:ted", "v:com", "default"],
  assigned: ["v.com-set", "joe"],
  prefixes: ["", "joe-"],
};

test("the addresses of a virtual host are those that anything names", () => {
  expect(listable("v.com", NAMES)).toEqual(["both", "dot.ted", "dot:ted", "info", "one", "sales", "set"]);
});

test.each([
  ["a local host", "h.example", {}],
  ["a host of a user's extensions", "by.hand", {}],
  ["a host that is excluded", "gone.com", {}],
  ["a host that is neither", "backup.com", {}],
  ["a host with patterns", "v.com", { patterns: ["%.com"] }],
  ["a host with a default file for some", "v.com", { files: ["v:com-list-default"] }],
  ["a host with a prefix in users/assign", "v.com", { prefixes: ["v.com-s"] }],
  ["a host below a prefix in users/assign", "v.com", { prefixes: ["v.c"] }],
  ["a name that would be a rule", "v.com", { virtual: new Map([["v.com", ["-x"]]]) }],
  ["a name with a blank", "v.com", { virtual: new Map([["v.com", ["a b"]]]) }],
])("%s cannot be listed", (_, host, more) => {
  expect(listable(host, { ...NAMES, ...more })).toBe("all");
});
