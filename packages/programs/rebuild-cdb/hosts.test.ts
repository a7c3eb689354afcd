import { expect, test } from "vitest";
import { rcptHost, virtualDomain } from "./hosts.ts";

test.each([
  ["virtual.com", false, "virtual.com:virtual.com"],
  ["Virtual.COM", false, "virtual.com:virtual.com"],
  [".virtual.com", false, ".virtual.com:.virtual.com"],
  ["%.virtual.com", true, ".virtual.com:.virtual.com"],
  ["a_b.com", true, "a_b.com:a_b.com"],
])("virtual host %j, funky %s: %s", (host, funky, line) => {
  expect(virtualDomain(host, funky)).toEqual({ entry: line });
});

test.each([
  ["", false],
  ["", true],
  ["%", true],
  ["a%.com", true],
  ["a b", false],
  ["a\nb:c", false],
  ["a:b", false],
  ["joe@a", false],
  ["#a", false],
  ["a ", false],
  ["a\0", false],
])("virtual host %j, funky %s: no line", (host, funky) => {
  expect(virtualDomain(host, funky)).toHaveProperty("unusable");
});

test.each([
  ["Example.com", { entry: "example.com" }],
  [".example.net", { entry: ".example.net" }],
])("rcpthosts row %j", (host, expected) => {
  expect(rcptHost(host)).toEqual(expected);
});
