import { describe, expect, test } from "vitest";
import { assignable, type Settings } from "./assignable.ts";

const settings: Settings = {
  breakChar: "-",
  suspendedMail: "deliver",
  funkyQueries: false,
  homeOwner: (home) => (home === "/none" ? { unusable: "file does not exist" } : { uid: 1000 }),
};
const box = (username: string, more: object = {}) => ({
  username,
  uid: 1000,
  gid: 100,
  home: `/home/${username}`,
  suspended: false,
  ...more,
});

/** name: "=" for its own line, "=+" with its extensions', "" for none. */
function lines(boxes: ReturnType<typeof box>[], hosts: string[] = [], more: Partial<Settings> = {}) {
  const decide = assignable({ ...settings, ...more });
  for (const host of hosts) decide.virtualHost(host);
  const sorted = boxes.toSorted((a, b) => (a.username < b.username ? 1 : -1));
  return Object.fromEntries(
    sorted.map((one) => {
      const made = decide.mailbox(one.username, one);
      return [one.username, "why" in made ? "" : made.extensions ? "=+" : "="];
    }),
  );
}

test("a mailbox has a line, and one for its extensions", () => {
  expect(lines([box("iain"), box("iain-sanity")])).toEqual({ iain: "=+", "iain-sanity": "=+" });
});

describe("a mailbox for which qmail-getpw has to decide gets no line, nor do the extensions of shorter names", () => {
  test.each<[string, object, Partial<Settings>]>([
    ["uid 0", { uid: 0 }, {}],
    ["home missing", { home: "/none" }, {}],
    ["home of another", { uid: 1001 }, {}],
    ["colon in its home", { home: "/home/a:b" }, {}],
    ["suspended, mail waits", { suspended: true }, { suspendedMail: "defer" }],
    ["suspended, mail bounces", { suspended: true }, { suspendedMail: "bounce" }],
  ])("%s", (_, row, more) => {
    expect(lines([box("a"), box("a-b", row), box("a-b-c"), box("b")], [], more)).toEqual({
      a: "=",
      "a-b": "",
      "a-b-c": "=+",
      b: "=+",
    });
  });
  test("colon in its name", () => {
    expect(lines([box("a"), box("a-b:c")])).toEqual({ a: "=", "a-b:c": "" });
  });
  test("a suspended mailbox whose mail is delivered has a line", () => {
    expect(lines([box("a"), box("a-b", { suspended: true })])).toEqual({ a: "=+", "a-b": "=+" });
  });
  test("a home with another owner has a line if homes are trusted", () => {
    expect(lines([box("a-b", { uid: 1 })], [], { homeOwner: undefined })).toEqual({ "a-b": "=+" });
  });
});

describe("mail for a virtual host, which arrives as host-local, is caught by no mailbox", () => {
  test.each([
    ["my", "my-domain.com", "="],
    ["My", "MY-domain.com", "="],
    ["my-domain.com", "my-domain.com", "="],
    ["my-domain.com-sales", "my-domain.com", ""],
    ["my-do", "my-domain.com", "=+"],
    ["domain", "my-domain.com", "=+"],
    ["localhost", "localhost", "="],
    ["localhost-x", "localhost", ""],
  ])("%s beside %s: %s", (name, host, expected) => {
    expect(lines([box(name)], [host])).toEqual({ [name]: expected });
  });
  test("a pattern may be any host", () => {
    const funky = { funkyQueries: true };
    expect(lines([box("my"), box("my-x.org-y"), box("a-b")], ["%.org"], funky)).toEqual({
      my: "=",
      "my-x.org-y": "",
      "a-b": "=",
    });
  });
});
