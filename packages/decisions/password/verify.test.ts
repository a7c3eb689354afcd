import { describe, expect, test, vi } from "vitest";
import { hash } from "./hash.ts";
import { Unverifiable, verify, verifyCrypt } from "./index.ts";

const CRYPT = "Crypt-Password";

describe("an empty stored password matches nothing", () => {
  test.each([
    ["Password", ""],
    [CRYPT, ""],
    ["MySQL-Password", ""],
    [CRYPT, "{PLAIN}"],
    [CRYPT, "{CRYPT}"],
    [CRYPT, "{SHA}"],
  ])("%s %j", async (type, stored) => {
    expect(await verify("", stored, type)).toBe(false);
    expect(await verify("secret", stored, type, "<1.2@h>")).toBe(false);
  });
});

test.each(["!", "*", "!!", "*LK*", "*0", "*1", "x", "!$1$saltsalt$hQYYiP5MTnWHi3Q7Eqzb5."])(
  "a locked password %j matches nothing, itself least of all",
  async (stored) => {
    const crypt = vi.fn(() => stored);
    expect(await verifyCrypt(stored, stored, crypt)).toBe(false);
    expect(crypt).not.toHaveBeenCalled();
  },
);

describe("a stored password that is invalid, of an unknown scheme or too expensive is trouble, reported without quoting it", () => {
  const tail = (n: number) => "s".repeat(n);
  test.each([
    ["not a type", "LDAP", "hunter2"],
    ["no type", "", "hunter2"],
    ["plain text where a hash should be", CRYPT, "hunter2"],
    ["an unknown {SCHEME}", CRYPT, "{hunter2}hunter2"],
    ["a scheme that needs more than a hash", CRYPT, "{CRAM-MD5}hunter2"],
    ["an unknown encoding", CRYPT, "{SHA.ROT13}hunter2"],
    ["a digest cut short", CRYPT, "{SHA}hunter2="],
    ["a digest with more behind it", CRYPT, `{SHA256.HEX}${"0".repeat(66)}`],
    ["base64 with a blank", CRYPT, "{SSHA}hunter2 hunter2 hunter2 hunter2"],
    ["an unknown method", CRYPT, `$99$hunter2$${tail(43)}`],
    ["a hash cut short", CRYPT, `$6$salt$${tail(85)}`],
    ["a hash with a line end", CRYPT, `$6$salt$${tail(86)}\n`],
    ["bcrypt of a cost it has not", CRYPT, `$2b$03$${tail(53)}`],
    ["yescrypt without the system's crypt(3)", CRYPT, `$y$j9T$${tail(22)}$${tail(43)}`],
    ["not a value of PASSWORD()", "MySQL-Password", "hunter2"],
    ["an hour of $6$", CRYPT, `$6$rounds=999999999$salt$${tail(86)}`],
    ["just too many rounds of $5$", CRYPT, `$5$rounds=5000001$salt$${tail(43)}`],
    ["a day of bcrypt", CRYPT, `$2b$31$${tail(53)}`],
    ["bcrypt one above the bound", CRYPT, `{BLF-CRYPT}$2y$16$${tail(53)}`],
    ["a gigabyte of yescrypt", CRYPT, `$y$jFT$${tail(22)}$${tail(43)}`],
    ["four gigabytes of Argon2", CRYPT, `$argon2id$v=19$m=4194304,t=1,p=1$${tail(22)}$${tail(43)}`],
    ["years of Argon2", CRYPT, `$argon2id$v=19$m=1024,t=4294967295,p=1$${tail(22)}$${tail(43)}`],
    ["Argon2 that no implementation takes", CRYPT, `$argon2id$v=19$m=0,t=0,p=0$${tail(22)}$${tail(43)}`],
    ["Argon2 of an older version", CRYPT, `$argon2id$v=16$m=64,t=1,p=1$${tail(22)}$${tail(43)}`],
  ])("%s", async (_what, type, stored) => {
    const started = performance.now();
    const failure = await verify("hunter2", stored, type).catch((error) => error);
    expect(failure).toBeInstanceOf(Unverifiable);
    expect(failure.message).not.toMatch(/hunter2|\$/i);
    expect(performance.now() - started).toBeLessThan(2000); // it was refused, not tried
  });
});

test.each([
  ["system's crypt(3)", (_: string, setting: string) => setting],
  ["portable bcrypt, which takes text only", undefined],
])("what cannot be computed is not a wrong password: %s", async (_name, crypt) => {
  const answer = verifyCrypt("\xff", `$2b$05$${"s".repeat(53)}`, crypt);
  if (crypt) expect(await answer).toBe(true);
  else await expect(answer).rejects.toBeInstanceOf(Unverifiable);
});

describe("responses to a challenge", () => {
  // RFC 1939, 7 and RFC 2195, 2: their own examples
  const apop = ["tanstaaf", "<1896.697170952@dbc.mtview.ca.us>", "c4c9334bac560ecc979e58001b3e22fb"] as const;
  const cram = [
    "tanstaaftanstaaf",
    "<1896.697170952@postoffice.reston.mci.net>",
    "b913a602c7eda7a495b4e6e7334d3890",
  ] as const;
  describe.each([apop, cram])("%s", (secret, challenge, answer) => {
    test.each([
      ["plain", "Password", secret, challenge, true],
      ["{PLAIN}", CRYPT, `{PLAIN}${secret}`, challenge, true],
      ["{CLEARTEXT.B64}", CRYPT, `{CLEARTEXT.B64}${btoa(secret)}`, challenge, true],
      ["no challenge was made", "Password", secret, "", false],
      ["another challenge", "Password", secret, `${challenge}x`, false],
      ["another secret", "Password", `${secret}x`, challenge, false],
    ])("%s", async (_what, type, stored, asked, expected) => {
      expect(await verify(answer, stored, type, asked)).toBe(expected);
      expect(await verify(secret, stored, type, asked)).toBe(stored.endsWith("x") === false);
    });
    test("are not accepted for a hash, nor in capitals", async () => {
      expect(await verify(answer, hash(secret, CRYPT), CRYPT, challenge)).toBe(false);
      expect(await verify(answer.toUpperCase(), secret, "Password", challenge)).toBe(false);
    });
  });
});

test.each(["Password", "PASSWORD", "crypt-password", "mysql-password"])(
  "password_type is compared as MySQL compares it: %s",
  async (type) => {
    const kind = ({ p: "Password", c: CRYPT, m: "MySQL-Password" } as const)[type[0]?.toLowerCase() as "p"];
    expect(await verify("secret", hash("secret", kind), type)).toBe(true);
    expect(await verify("Secret", hash("secret", kind), type)).toBe(false);
  },
);

test("a password with a NUL, or longer than crypt(3) accepts, never matches", async () => {
  expect(await verify("a\0b", "a\0b", "Password")).toBe(false);
  expect(await verify("a".repeat(512), "a".repeat(512), "Password")).toBe(false);
  expect(await verify("a".repeat(511), "a".repeat(511), "Password")).toBe(true);
});

test("two hashes of one password have different salts", () => {
  expect(hash("secret", CRYPT)).toMatch(/^\$6\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}$/);
  expect(hash("secret", CRYPT)).not.toBe(hash("secret", CRYPT));
});
