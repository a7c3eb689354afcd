import { expect, test } from "vitest";
import { openClients, relayLine } from "./relay-lines.ts";

test.each([
  ["10.1.2.3", "10.1.2.3"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["10.1.2.3/32", "10.1.2.3"],
  ["10.1.2.", "10.1.2."],
  ["10.1", "10.1."],
  ["10.", "10."],
  ["10.1.2.0/24", "10.1.2."],
  ["10.1.2.77/24", "10.1.2."],
  ["10.0.0.0/8", "10."],
  ["10.1.2.64/26", "10.1.2.64-127"],
  ["10.1.2.3/31", "10.1.2.2-3"],
  ["172.16.0.0/12", "172.16-31."],
  ["192.168.128.0/17", "192.168.128-255."],
  ["128.0.0.0/1", "128-255."],
])("%s is %s to tcprules", (client, address) => {
  expect(relayLine(client, false)).toBe(`${address}:allow,RELAYCLIENT=""`);
  expect(relayLine(client, true)).toBe(`${address}:allow,RELAYCLIENT="",RBLSMTPD=""`);
});

test.each([
  "",
  "0.0.0.0/0",
  "10.1.2.3/33",
  "10.1.2.256",
  "010.1.2.3",
  "10.1.2.3.4",
  "2001:db8::1",
  "::1",
  '10.1.2.3:allow,X="y"\n1.2.3.4',
  "10.1.2.3\n",
  "localhost",
  "10.1-3.2.1",
])("%j has no line", (client) => {
  expect(relayLine(client, false)).toBeUndefined();
});

test("a row counts for the window after its login; one without a time, for ever", () => {
  const row = (client: string, time: number | undefined) => ({ client, time, user: undefined });
  const rows = [row("a", 1000), row("b", 1001), row("c", undefined), row("d", 1500)];
  expect(openClients({ rows, now: 1100 }, 100)).toEqual({ clients: ["b", "c", "d"], lapse: 1 });
  expect(openClients({ rows: [row("c", undefined)], now: 1 }, 1)).toEqual({
    clients: ["c"],
    lapse: Infinity,
  });
});
