import { ControlError } from "@qmail-mysql/control";
import { describe, expect, test } from "vitest";
import {
  decodeAnswer,
  decodeLogin,
  decodeOver,
  decodeSession,
  encodeLogin,
  encodeSession,
} from "./packets.ts";
import { parseSettings } from "./settings.ts";
import { decodeVerdict, encodeVerdict } from "./verdict.ts";

const LOGIN = {
  id: 7,
  login: "joe\xff",
  password: "a secret",
  challenge: "<1.2@h>",
  address: "2001:db8::1",
  port: "110",
  unread: Buffer.from("STAT\r\n\0\xff", "latin1"),
};

describe("a login", () => {
  test("goes to the monitor as it is", () => expect(decodeLogin(encodeLogin(LOGIN))).toEqual(LOGIN));
  test.each([
    "",
    "1|joe|",
    "1|joe|x||192.0.2.1|110||more|",
    "x|joe|x||192.0.2.1|110||",
    "1|joe|x||host name|110||",
    "1|joe|x||192.0.2.1|110 x||",
    "1|joe|x||192.0.2.1|110|!|",
    `1|joe|${"x".repeat(600)}||192.0.2.1|110||`,
    `1|joe|x||192.0.2.1|110|${"AAAA".repeat(6000)}|`,
  ])("that is invalid is none: %#", (packet) =>
    expect(decodeLogin(packet.replaceAll("|", "\0"))).toBeUndefined(),
  );
});

test("a session goes to a worker as it is", () => {
  const session = { id: 1, uid: 4_000_000_000, gid: 5, user: "joe", home: "/h\xff", unread: LOGIN.unread };
  expect(decodeSession(encodeSession(session))).toEqual(session);
});

test.each(["", "1\0", "1\0yes\0", "-1\0taken\0"])("an answer that is invalid is none: %j", (packet) =>
  expect(decodeAnswer(packet)).toBeUndefined(),
);
test("sessions that are over are numbers", () => {
  expect(decodeOver(["1", "20", ""].join("\0"))).toEqual([1, 20]);
  expect(decodeOver("1\0x\0")).toBeUndefined();
});

test.each([
  { accepted: { user: "joe", uid: 5, gid: 6, home: "/h", shell: "/bin/sh" } },
  { refused: "unknown" as const },
  { refused: "wrong password" as const },
])("a verdict is passed on as it is: %#", (verdict) =>
  expect(decodeVerdict(encodeVerdict(verdict))).toEqual(verdict),
);

describe("settings", () => {
  test("have their defaults", () =>
    expect(parseSettings("", "f", 2 ** 30, 2)).toEqual({
      workers: 32,
      perUid: 2,
      sessions: 500,
      perLogin: 20,
      spares: 2,
      idle: 60,
      inClear: true,
      create: false,
      system: true,
    }));
  test.each([
    ["workers 0", "f: workers: expected a number from 1"],
    ["idle soon", "f line 1: idle: expected a number"],
    ["clear_passwords 1", "f line 1: clear_passwords: expected yes or no"],
    ["other 1", "f line 1: unknown key"],
  ])("%s: %s", (text, message) =>
    expect(() => parseSettings(text, "f", 2 ** 40, 2)).toThrow(new ControlError(message)),
  );
});
