import { expect, test } from "vitest";
import { decideAgain } from "./again.ts";
import { baseEnvironment, childEnvironment } from "./environment.ts";
import { ruleFor, ruleKeys } from "./rules.ts";

// tcprules(1), and what tcprulescheck does with TCPREMOTEINFO, TCPREMOTEHOST and TCPREMOTEIP
test("the keys of a client, most specific first", () => {
  const client = { ip: "10.1.2.3", host: "a.b.example", info: "joe" };
  expect([...ruleKeys(client)]).toEqual([
    "joe@10.1.2.3",
    "joe@=a.b.example",
    "10.1.2.3",
    "=a.b.example",
    "10.1.2.",
    "10.1.",
    "10.",
    "=.b.example",
    "=.example",
    "=",
    "",
  ]);
  expect([...ruleKeys({ ip: "2001:db8::1", host: undefined, info: undefined })]).toEqual([
    "2001:db8::1",
    "2001:db8::",
    "2001:db8:",
    "2001:",
    "",
  ]);
});

test.each([
  ["", false, {}],
  ["D\0", true, {}],
  ["D\0+X=a\0", true, { X: "a" }],
  ["+RELAYCLIENT=\0", false, { RELAYCLIENT: "" }],
  ["+A=1=2\0+B=\xff\0", false, { A: "1=2", B: "\xff" }],
  ["+A=1\0+B=2", false, { A: "1" }],
  ["D", false, {}],
])("a record of %j", (data, deny, env) => {
  expect(ruleFor({ ip: "10.1.2.3", host: undefined, info: undefined }, () => data)).toEqual({
    deny,
    env: new Map(Object.entries(env)),
  });
});

test("a child's environment: nothing stale, the table's word, the rule's last", () => {
  const base = baseEnvironment([
    "PATH=/bin",
    "TCPREMOTEHOST=stale",
    "TCPREMOTEINFO=stale",
    "RELAYCLIENT=x",
    "",
  ]);
  const connection = {
    local: { ip: "192.0.2.9", port: 25 },
    remote: { ip: "192.0.2.1", port: 4711 },
    localHost: undefined,
    remoteHost: "client.example",
    remoteInfo: undefined,
  };
  const own = [
    "PROTO=TCP",
    "TCPLOCALIP=192.0.2.9",
    "TCPLOCALPORT=25",
    "TCPREMOTEIP=192.0.2.1",
    "TCPREMOTEPORT=4711",
    "TCPREMOTEHOST=client.example",
  ];
  const noRule = new Map<string, string>();
  const rule = new Map([
    ["RELAYCLIENT", "@fix"],
    ["PROTO", "Q"],
    ["__proto__", "P"],
  ]);
  expect(childEnvironment(base, connection, false, noRule)).toEqual(["PATH=/bin", "RELAYCLIENT=x", ...own]);
  expect(childEnvironment(base, connection, true, noRule)).toEqual(["PATH=/bin", ...own, "RELAYCLIENT="]);
  expect(childEnvironment(base, connection, true, rule)).toEqual([
    "PATH=/bin",
    ...own.slice(1),
    "RELAYCLIENT=@fix",
    "PROTO=Q",
    "__proto__=P",
  ]);
});

const RULES: Readonly<Record<string, string>> = {
  "192.0.2.9": "+RELAYCLIENT=@proxy\0+QMAILQUEUE=bin/proxied\0+X=proxy\0",
  "192.0.2.1": "+X=client\0",
  "192.0.2.66": "D\0",
  "=known.example": "+Y=named\0",
};
const PROXIED = [
  "PATH=/bin",
  "PROTO=TCP",
  "TCPLOCALIP=192.0.2.2",
  "TCPLOCALPORT=25",
  "TCPLOCALHOST=mx.example",
  "TCPREMOTEIP=192.0.2.9",
  "TCPREMOTEPORT=9",
  "TCPREMOTEHOST=proxy.example",
  "TCPREMOTEINFO=proxy",
  "RELAYCLIENT=@proxy",
  "QMAILQUEUE=bin/proxied",
  "X=proxy",
];
const again = (client: { ip: string; host?: string; info?: string }) =>
  decideAgain(
    PROXIED,
    { port: 4711, ...client },
    { findRule: (key) => RULES[key], mayRelay: async (ip) => ip === "192.0.2.7" },
  );
const LOCAL = ["PATH=/bin", "PROTO=TCP", "TCPLOCALIP=192.0.2.2", "TCPLOCALPORT=25"];

test("a client that a proxy names gets nothing of what the rule says about the proxy", async () => {
  expect(await again({ ip: "192.0.2.1" })).toEqual({
    environment: [
      ...LOCAL,
      "TCPREMOTEIP=192.0.2.1",
      "TCPREMOTEPORT=4711",
      "TCPLOCALHOST=mx.example",
      "X=client",
    ],
  });
  expect(await again({ ip: "192.0.2.3", host: "known.example", info: "joe" })).toEqual({
    environment: [
      ...LOCAL,
      "TCPREMOTEIP=192.0.2.3",
      "TCPREMOTEPORT=4711",
      "TCPLOCALHOST=mx.example",
      "TCPREMOTEHOST=known.example",
      "TCPREMOTEINFO=joe",
      "Y=named",
    ],
  });
});

test("it may relay if the table says so, and is denied if the rules do", async () => {
  expect(await again({ ip: "192.0.2.7" })).toMatchObject({
    environment: expect.arrayContaining(["RELAYCLIENT="]),
  });
  expect(await again({ ip: "192.0.2.66" })).toEqual({ denied: true });
});

test("RELAYCLIENT of the proxy is dropped wherever it comes from", async () => {
  const answer = await decideAgain(
    PROXIED,
    { ip: "192.0.2.3", port: 1 },
    { findRule: () => undefined, mayRelay: async () => false },
  );
  expect("environment" in answer && answer.environment.filter((entry) => entry.startsWith("RELAY"))).toEqual(
    [],
  );
});

test.each([
  { ip: "" },
  { ip: "[UNAVAILABLE]" },
  { ip: "192.0.2.1\nX=1" },
  { ip: "192.0.2.1", host: "a\0RELAYCLIENT=" },
  { ip: "192.0.2.1", info: "a\0b" },
])("%j is no client", async (client) => {
  await expect(again(client)).rejects.toThrow("unable to decide about a client");
});

test("an address in another form is that address for the rules", async () => {
  expect(await again({ ip: "::ffff:192.0.2.66" })).toEqual({ denied: true });
});
