import { ControlError } from "@qmail-mysql/control";
import { expect, test } from "vitest";
import { parseSmtpd, STOCK } from "./settings.ts";

const parse = (text: string) => {
  const warnings: string[] = [];
  return { settings: parseSmtpd(text, "control/smtpd", (line) => warnings.push(line)), warnings };
};

test("an empty file is stock", () => expect(parse("# nothing\n")).toEqual({ settings: STOCK, warnings: [] }));

test("submission requires a login, whose addresses are the senders", () => {
  const { settings } = parse("submission yes\nauth plain LOGIN\n");
  expect(settings).toEqual({
    ...STOCK,
    submission: true,
    authRequired: true,
    senderCheck: true,
    auth: ["PLAIN", "LOGIN"],
  });
});

test("an unknown key is a warning", () =>
  expect(parse("size yes\nsizes no\n").warnings).toEqual(["control/smtpd line 2: unknown key sizes"]));

test.each([
  "size maybe",
  "auth digest-md5",
  "starttls always",
  "unknown_limit many",
  "log xml",
  "submission yes",
  "auth_required yes",
  "dnsbl zen.example",
  "dnsbl -r",
])("%s", (text) => {
  expect(() => parse(`${text}\n`)).toThrow(ControlError);
});

test("the options of rblsmtpd", () => {
  expect(parse("dnsbl -b -r rbl.example -a good.example\n").settings.dnsbl?.lists).toMatchObject([
    { refuses: true, zone: "rbl.example", bounces: true },
    { refuses: false, zone: "good.example" },
  ]);
  expect(parse("dnsbl=\n").settings.dnsbl).toEqual({ lists: [], timeout: 60 });
});
