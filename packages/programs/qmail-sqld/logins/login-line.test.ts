import { expect, test } from "vitest";
import { type Attempt, loginLine } from "./login-line.ts";

const ATTEMPT: Attempt = {
  verdict: "refused",
  service: "",
  port: "110",
  address: "192.0.2.1",
  uid: 0,
  login: "joe",
  why: "wrong password",
};

test("a line contains service, address, uid, user, verdict and reason", () => {
  expect(loginLine(ATTEMPT)).toBe(
    "login: verdict=refused service=pop3 address=192.0.2.1 uid=0 user=joe why=wrong_password",
  );
});

test("an unknown value is -", () => {
  expect(loginLine({ ...ATTEMPT, port: "", address: undefined, uid: undefined, login: "", why: "" })).toBe(
    "login: verdict=refused service=- address=- uid=- user=- why=-",
  );
});

test.each([
  ["joe address=198.51.100.1", "joe_address\\x3d198.51.100.1"],
  ["joe\nqmail-sqld: login:", "joe\\x0aqmail-sqld:_login:"],
  ['"\\\xe9', "\\x22\\x5c\\xe9"],
  ["x".repeat(1000), "x".repeat(256)],
])("a login of %j is one word", (login, word) => {
  expect(loginLine({ ...ATTEMPT, login })).toContain(` user=${word} why=`);
});

test("an invalid port is not logged", () => {
  expect(loginLine({ ...ATTEMPT, port: "110 x" })).toContain(" service=- ");
  expect(loginLine({ ...ATTEMPT, port: "1110" })).toContain(" service=1110 ");
});

test("the service that the calling program gives is one word, and comes before the port", () => {
  expect(loginLine({ ...ATTEMPT, service: "submission" })).toContain(" service=submission address=");
  expect(loginLine({ ...ATTEMPT, service: "a b=c\n" })).toContain(" service=a_b\\x3dc\\x0a address=");
});
