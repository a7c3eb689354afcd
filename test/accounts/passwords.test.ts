import { execFileSync } from "node:child_process";
import { libcrypt } from "@qmail-mysql/native";
import { verify } from "@qmail-mysql/password";
import { hash } from "@qmail-mysql/password/hash";
import { perlCrypt } from "@qmail-mysql/system";
import { describe, expect, inject, test } from "vitest";

// Every hash here was made by another program, in this run.

const CRYPT = "Crypt-Password";
const LENGTHS = [0, 1, 8, 15, 16, 31, 32, 63, 64, 72, 73, 128, 255];
const ascii = LENGTHS.map((n) => "qwertyuiopasdfghjklzxcvbnm1234567890-+".repeat(7).slice(0, n));
const utf8 = ["p\xc3\xa4ssw\xc3\xb6rd", `${"\xc3\xa9".repeat(40)}x`];
const bytes = ["\xff\xa3345", "p\xe4ss", "\x81\x92".repeat(8), `${"\xfe\x01".repeat(40)}`];
const all = [...ascii, ...utf8, ...bytes];

function output(program: string, args: readonly string[], input = ""): string {
  const stdio = ["pipe", "pipe", "ignore"] as const;
  return execFileSync(program, args, { input: Buffer.from(input, "latin1"), stdio: [...stdio] })
    .toString("latin1")
    .trim();
}

const mkpasswd = (method: string, ...more: string[]) => ({
  name: `mkpasswd ${method}`,
  hash: (password: string) => output("mkpasswd", ["-s", "-m", method, ...more], `${password}\n`),
});
const openssl = (method: string) => ({
  name: `openssl passwd ${method}`,
  hash: (password: string) => output("openssl", ["passwd", method, "-stdin"], `${password}\n`),
});
const argon2 = (kind: string, ...more: string[]) => ({
  name: `argon2 ${kind} ${more.join(" ")}`,
  hash: (password: string) => output("argon2", ["some salt", kind, ...more, "-e"], password),
});

interface Case {
  readonly name: string;
  readonly hash: (password: string) => string;
  /** The passwords that the other program takes. */
  readonly passwords?: readonly string[];
  /** How many bytes of a password count. */
  readonly counts?: number;
}

const methods: readonly Case[] = [
  { ...mkpasswd("descrypt"), counts: 8 },
  mkpasswd("md5crypt"),
  mkpasswd("sha256crypt"),
  mkpasswd("sha256crypt", "-R", "1000"),
  mkpasswd("sha512crypt"),
  mkpasswd("sha512crypt", "-R", "12345"),
  mkpasswd("sha512crypt", "-S", "saltsalt"),
  openssl("-1"),
  openssl("-apr1"),
  // openssl refuses an empty one here
  { ...openssl("-5"), passwords: all.slice(1) },
  { ...openssl("-6"), passwords: all.slice(1) },
  // argon2(1) takes 1 to 127 bytes
  ...[
    argon2("-id", "-t", "2", "-k", "64", "-p", "1"),
    argon2("-i", "-t", "3", "-k", "256", "-p", "4"),
    argon2("-d", "-t", "1", "-k", "64", "-p", "2", "-l", "16"),
  ].map((method) => ({ ...method, passwords: all.filter(({ length }) => length > 0 && length < 128) })),
];

/** Right is right and wrong is wrong, for each password. */
async function expectVerified(
  { hash, passwords = all, counts = 255 }: Case,
  ask: (typed: string, stored: string) => Promise<boolean>,
): Promise<void> {
  for (const password of passwords) {
    const stored = hash(password);
    expect(stored).not.toBe("");
    const wrong = [`x${password}`, password.slice(0, counts - 1).replace(/.$/s, "")];
    const answers: Record<string, boolean> = { [password]: await ask(password, stored) };
    for (const typed of wrong) if (typed !== password) answers[typed] = await ask(typed, stored);
    const expected = Object.fromEntries(Object.keys(answers).map((typed) => [typed, typed === password]));
    expect({ stored, answers }).toEqual({ stored, answers: expected });
  }
}

describe.each([
  ["the system's crypt(3)", libcrypt],
  ["the portable methods", undefined],
] as const)("by %s", (_how, crypt) => {
  test.each(methods)("$name", (method) =>
    expectVerified(method, (typed, stored) => verify(typed, stored, CRYPT, "", crypt)),
  );
  test.each(["bcrypt", "bcrypt-a"])("mkpasswd %s", (name) =>
    expectVerified(
      {
        ...mkpasswd(name, "-R", "4"),
        counts: 72,
        passwords: crypt ? all : [...ascii, ...utf8], // the portable one takes no other bytes
      },
      (typed, stored) => verify(typed, stored, CRYPT, "", crypt),
    ),
  );
});

test("the system's crypt(3) was there, and answered", () => {
  expect(libcrypt("secret", "$1$saltsalt$")).toBe(
    output("openssl", "passwd -1 -salt saltsalt secret".split(" ")),
  );
  expect(libcrypt("secret", "$99$unknown")).toBeUndefined();
  expect(libcrypt("se\0cret", "$1$saltsalt$")).toBeUndefined();
});

test.each(["", "secret", "p\xe4ss", "\xff".repeat(300), "'; print '", "line\nend"])(
  "perl's crypt(3) hashes %j as the library does",
  (password) => {
    for (const setting of [
      "ab",
      "$1$saltsalt$",
      "$6$x",
      "$2b$04$abcdefghijklmnopqrstuu",
      "$y$j75$saltsalt$",
    ]) {
      expect(perlCrypt(password, setting)).toBe(libcrypt(password, setting));
    }
    expect(perlCrypt(password, "$99$unknown")).toBeUndefined();
    expect(perlCrypt("se\0cret", "ab")).toBeUndefined();
  },
);

test.each([
  ["yescrypt", "1", [...ascii.slice(0, 8), ...bytes]],
  ["yescrypt", "5", ["secret"]],
  ["gost-yescrypt", "1", ["secret", "p\xe4ss"]],
  ["scrypt", "6", ["secret"]],
] as const)("what only the system's crypt(3) knows: mkpasswd %s -R %s", (method, rounds, passwords) =>
  expectVerified({ ...mkpasswd(method, "-R", rounds), passwords }, (typed, stored) =>
    verify(typed, stored, CRYPT, "", libcrypt),
  ),
);

test.each(
  [
    ..."PLAIN CLEAR CLEARTEXT CRYPT DES-CRYPT MD5-CRYPT MD5 SHA256-CRYPT SHA512-CRYPT".split(" "),
    ..."SHA SHA1 SSHA SHA256 SSHA256 SHA512 SSHA512 SMD5 PLAIN-MD5 LDAP-MD5".split(" "),
    ..."SHA.HEX SSHA.HEX SHA256.B64 SSHA256.HEX SHA512.HEX SSHA512.B64 SMD5.HEX".split(" "),
    ..."PLAIN-MD5.B64 PLAIN-MD5.BASE64 LDAP-MD5.HEX PLAIN.B64 PLAIN.HEX SHA512-CRYPT.B64".split(" "),
    ..."BLF-CRYPT ARGON2I ARGON2ID".split(" "),
  ].map((scheme) => [scheme]),
)("doveadm pw -s %s", async (scheme) => {
  const slow = /BLF|ARGON/.test(scheme);
  const name = (password: string) => Buffer.from(password, "latin1").toString(); // argv is text
  await expectVerified(
    {
      name: scheme,
      hash: (password) => output("doveadm", ["pw", "-s", scheme, "-p", name(password)]),
      passwords: slow ? ["secret"] : [...ascii.slice(1), ...utf8],
      counts: { "DES-CRYPT": 8, CRYPT: 72 }[scheme] ?? 255, // its CRYPT is bcrypt today
    },
    (typed, stored) => {
      expect(stored.startsWith(`{${scheme}}`)).toBe(true);
      return verify(typed, stored, CRYPT);
    },
  );
});

test.each(["PASSWORD", "OLD_PASSWORD"])("MariaDB's %s()", (name) =>
  expectVerified(
    {
      name,
      passwords: all.slice(1), // PASSWORD('') is ''
      hash: (password) => {
        const hex = Buffer.from(password, "latin1").toString("hex");
        const { socket } = inject("mariadb");
        return output(
          "mariadb",
          ["--no-defaults", "-uroot", "-S", socket, "-N", "-B"],
          `SELECT ${name}(0x${hex})`,
        );
      },
    },
    (typed, stored) => verify(typed, stored, "MySQL-Password"),
  ),
);

test("a value of OLD_PASSWORD() does not tell blanks", async () => {
  expect(await verify("a b\tc", await oldPassword("abc"), "MySQL-Password")).toBe(true);
});

async function oldPassword(password: string): Promise<string> {
  const { socket } = inject("mariadb");
  return output("mariadb", ["-uroot", "-S", socket, "-N", "-B"], `SELECT OLD_PASSWORD('${password}')`);
}

test("what hash() makes, others verify", async () => {
  for (const password of all) {
    const stored = hash(password, CRYPT);
    expect(libcrypt(password, stored)).toBe(stored);
  }
  const hex = Buffer.from("p\xe4ss", "latin1").toString("hex");
  const { socket } = inject("mariadb");
  expect(hash("p\xe4ss", "MySQL-Password")).toBe(
    output("mariadb", ["-uroot", "-S", socket, "-N", "-B"], `SELECT PASSWORD(0x${hex})`),
  );
});
