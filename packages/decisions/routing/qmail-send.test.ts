import { describe, expect, test } from "vitest";
import { rewrite, virtualDomains } from "./qmail-send.ts";
import { acceptRecipient } from "./rcpthosts.ts";

// From qmail-send(8) and the observed behaviour of a stock one; the names are our own.
const controls = {
  envnoathost: "h.example",
  percenthack: new Set(["pct", "b"]),
  locals: new Set(["h.example", "local.example"]),
  virtualdomains: virtualDomains([
    "vd.example:vdu",
    "USER@one.example:special",
    "one.example:vone",
    ".sub.example:wild",
    ".example.net:net",
    "no.sub.example:",
    "both.example:first",
    "both.example:last",
    "local.example:never",
    "u@local.example:never",
    "a:b:c",
    "no colon",
  ]),
};

describe("qmail-send's rewriting", () => {
  test.each([
    ["joe", "local", "joe@h.example", "locals"],
    ["Joe@H.Example", "local", "Joe@H.Example", "locals"],
    ["u@local.example", "local", "u@local.example", "locals"],
    ["U@VD.example", "local", "vdu-U@VD.example", "virtualdomains"],
    ["user@one.example", "local", "special-user@one.example", "virtualdomains"],
    ["other@one.example", "local", "vone-other@one.example", "virtualdomains"],
    ["u@x.sub.example", "local", "wild-u@x.sub.example", "virtualdomains"],
    ["u@a.b.example.net", "local", "net-u@a.b.example.net", "virtualdomains"],
    ["u@sub.example", "remote", "u@sub.example", undefined],
    ["u@no.sub.example", "remote", "u@no.sub.example", "virtualdomains"],
    ["u@both.example", "local", "last-u@both.example", "virtualdomains"],
    ["u@a", "local", "b:c-u@a", "virtualdomains"],
    ["a%b%pct@pct", "remote", "a@b", undefined],
    ["a%vd.example@pct", "local", "vdu-a@vd.example", "virtualdomains"],
    ["a@pct", "remote", "a@pct", undefined],
    ["a@b@vd.example", "local", "vdu-a@b@vd.example", "virtualdomains"],
    ["@vd.example", "local", "vdu-@vd.example", "virtualdomains"],
    ["u@", "remote", "u@", undefined],
    ["u@elsewhere.example", "remote", "u@elsewhere.example", undefined],
  ])("%s -> %s %s by %s", (recipient, channel, address, file) => {
    const got = rewrite(recipient, controls);
    expect([got.channel, got.address, got.steps.at(-1)?.file]).toEqual([channel, address, file]);
  });

  test("a catch-all entry applies to all other hosts", () => {
    const all = { ...controls, virtualdomains: virtualDomains([":all", "not.example:"]) };
    expect(rewrite("u@any.example", all)).toMatchObject({ channel: "local", address: "all-u@any.example" });
    expect(rewrite("u@not.example", all)).toMatchObject({ channel: "remote" });
  });

  test("each step is explained", () => {
    expect(rewrite("a%b", { ...controls, envnoathost: "pct" }).steps).toEqual([
      { file: "envnoathost", entry: "pct", address: "a%b@pct" },
      { file: "percenthack", entry: "pct", address: "a@b" },
      { file: undefined, entry: "", address: "a@b" },
    ]);
  });
});

describe("qmail-smtpd's rcpthosts", () => {
  const rcpthosts = new Set(["rh.example", ".sub.example"]);
  const more = (key: string) => key === "more.example" || key === ".wide.example";
  test.each([
    ["u@rh.example", { accepted: true, by: "rcpthosts", entry: "rh.example" }],
    ["u@RH.Example", { accepted: true, by: "rcpthosts", entry: "rh.example" }],
    ["u@x.rh.example", { accepted: false }],
    ["u@a.sub.example", { accepted: true, by: "rcpthosts", entry: ".sub.example" }],
    ["u@a.b.sub.example", { accepted: true, by: "rcpthosts", entry: ".sub.example" }],
    ["u@sub.example", { accepted: false }],
    ["u@more.example", { accepted: true, by: "morercpthosts.cdb", entry: "more.example" }],
    ["u@x.wide.example", { accepted: true, by: "morercpthosts.cdb", entry: ".wide.example" }],
    ["u@rh.example@elsewhere", { accepted: false }],
    ["u@", { accepted: false }],
    ["postmaster", { accepted: true, by: "no host" }],
    ["", { accepted: true, by: "no host" }],
  ])("%s: %j", (address, expected) => {
    expect(acceptRecipient(address, rcpthosts, more)).toEqual(expected);
  });

  test("an empty file accepts no host, a missing file every host", () => {
    expect(acceptRecipient("u@x", new Set(), () => false)).toEqual({ accepted: false });
    expect(acceptRecipient("u@x", undefined, () => false)).toEqual({ accepted: true, by: "no rcpthosts" });
  });
});
