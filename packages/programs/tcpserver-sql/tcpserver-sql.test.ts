import { expect, test } from "vitest";
import { baseEnvironment, childEnvironment } from "./child-environment.ts";
import { userOf } from "./edge/ident.ts";
import { safe } from "./log.ts";
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

test("a child's environment: no inherited variables of a connection, RELAYCLIENT by the table, rules override it", () => {
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
