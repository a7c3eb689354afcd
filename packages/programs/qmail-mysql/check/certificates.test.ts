import { createPrivateKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { makeCertificate } from "../../../../test/lib/smtp-certificate.ts";
import { flaws } from "./certificates.ts";

const DAY = 86_400_000; // milliseconds
const FILES = { name: "mx.example", chain: "chain", key: "key" };

test.each<[name: string, days: number, problems: RegExp[]]>([
  ["mx.example", 10, []],
  ["mx.example", 20, [/^expires at /]],
  ["mx.example", 31, [/^expired at /]],
  ["mx.example", -1, [/^is not valid before /]],
  ["*.example", 10, [/^is not for \*.example$/]],
  ["example", 10, [/^is not for example$/]],
])("a certificate for mx.example and 30 days, as %s after %d days", (name, days, problems) => {
  const { chain, key } = makeCertificate("mx.example", 30);
  const certificate = new X509Certificate(chain);
  const found = [...flaws({ ...FILES, name }, certificate, createPrivateKey(key), Date.now() + days * DAY)];
  expect(found.map(({ problem }) => problem)).toEqual(problems.map((each) => expect.stringMatching(each)));
});

test("a wildcard, and another key", () => {
  const { chain } = makeCertificate("*.mail.example", 30);
  const { key } = makeCertificate("*.mail.example", 30);
  const certificate = new X509Certificate(chain);
  const found = [
    ...flaws({ ...FILES, name: "*.mail.example" }, certificate, createPrivateKey(key), Date.now()),
  ];
  expect(found.map(({ what }) => what)).toEqual(["key"]);
});
