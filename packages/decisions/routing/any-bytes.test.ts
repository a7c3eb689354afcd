import { expect, test } from "vitest";
import { acceptRecipient, findAssigned, rewrite, virtualDomains } from "./index.ts";

/** Addresses of random bytes from a fixed seed (xorshift32). */
function* addresses(count: number): Generator<string> {
  let state = 0x2545f491;
  const next = (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const telling = "@@..--%%:!aZ\0";
  for (let i = 0; i < count; i++) {
    yield Array.from({ length: next(40) }, () =>
      next(2) === 0 ? (telling[next(telling.length)] ?? "") : String.fromCharCode(next(256)),
    ).join("");
  }
}

const controls = {
  envnoathost: "h",
  percenthack: new Set(["a", ""]),
  locals: new Set(["h"]),
  virtualdomains: virtualDomains(["a:first", ".z:second", ":all", "b:"]),
};
const assigned = new Map([
  ["", "-"],
  ["!a-", "a\x001\x001\0/a\0-\0"],
  ["!", "alias\x002\x002\0/alias\0-\0"],
]);

test("no address of any bytes makes a decision throw, or gives its mail to another user", () => {
  for (const address of addresses(20_000)) {
    const sent = rewrite(address, controls);
    expect(sent.steps.length).toBeGreaterThan(0);
    const last = sent.steps.at(-1);
    if (last?.file === "virtualdomains" && sent.channel === "local") {
      expect(["first", "second", "all"]).toContain(sent.address.slice(0, sent.address.indexOf("-")));
    }
    acceptRecipient(address, new Set(["a"]), (key) => key === ".z");
    const owner = findAssigned(address, (key) => assigned.get(key));
    expect(owner?.control.user).toBe(/^a-/i.test(address) ? "a" : "alias");
  }
});
