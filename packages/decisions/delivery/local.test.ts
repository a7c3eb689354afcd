import type { AliasRow } from "@qmail-mysql/routing";
import { HARD } from "@qmail-mysql/trouble";
import { expect, test } from "vitest";
import { plan } from "./local.ts";
import type { Order } from "./order.ts";

const order: Order = {
  user: "iain",
  home: "/home/iain",
  local: "iain-info",
  dash: "-",
  ext: "info",
  host: "v.com",
  sender: "",
  defaultDelivery: "./Maildir/",
};
const row = (aliasUsername: string, isDisabled: boolean, alias = "info"): AliasRow => ({
  username: "iain",
  alias,
  aliasUsername,
  aliasHost: "",
  isDisabled,
});
const planned = async (...rows: AliasRow[]) => {
  const { asked } = await plan(order, true, {
    enterHome: () => 0o700,
    message: () => [],
    tables: async () => ({ findAliases: async () => rows, magicForwarding: false, close: async () => {} }),
    dotQmail: () => ({ text: "./Maildir/\n", executable: false }),
    exists: () => false,
    now: () => new Date(0),
    warn: () => {},
  });
  return [...asked];
};

test("a disabled alias row is not carried out", async () => {
  expect(await planned(row("a", true), row("b", false))).toEqual([{ kind: "forward", address: "b" }]);
});

test("an address with disabled rows only is refused: neither the catch-all nor a .qmail file is used", async () => {
  const refused = expect.objectContaining({ code: HARD, message: "This address is disabled. (#5.2.1)" });
  await expect(planned(row("a", true))).rejects.toThrow(refused);
  await expect(planned(row("a", true), row("all", false, "@"))).rejects.toThrow(refused);
});
