import { HARD, Usage } from "@qmail-mysql/trouble";
import { lower, toText } from "@qmail-mysql/wire";

/** The values of mailbox.password_type, by their short names on the command line. */
export const PASSWORD_TYPES = {
  plain: "Password",
  crypt: "Crypt-Password",
  mysql: "MySQL-Password",
} as const;

export type PasswordType = keyof typeof PASSWORD_TYPES;

const MAX_ID = 2 ** 32 - 2; // (uid_t) -1 means "no change": setreuid(2)
const MAX_PASSWORD = 255; // bytes; name, password and timestamp share the 512 bytes of checkpassword's input

const wrong = (what: string, expected: string): never => {
  throw new Usage(HARD, `${what}: expected ${expected}`);
};

/** A mailbox's name in lower case. UTF-8 without control characters or blanks at its ends. */
export function mailboxName(typed: string): string {
  if (typed === "") wrong("NAME", "a mailbox's name, not an empty one");
  if (/[\0-\x1f\x7f]/.test(typed)) wrong("NAME", "no line end, tab or other control character");
  if (typed.trim() !== typed) wrong(`NAME "${typed}"`, "no blank at its beginning or end");
  if (toText(typed) === undefined) wrong("NAME", "UTF-8, which is what the database compares");
  return lower(typed);
}

/** --uid: 0 is refused, since mail would be delivered as root. */
export function uidOption(typed: string): number {
  return id("--uid", typed, 1);
}

export function gidOption(typed: string): number {
  return id("--gid", typed, 0);
}

function id(option: string, typed: string, least: number): number {
  const value = Number(typed);
  return /^\d{1,10}$/.test(typed) && value >= least && value <= MAX_ID
    ? value
    : wrong(`${option} ${typed}`, `a number from ${least} to ${MAX_ID}`);
}

/** --home: absolute, without "//", "." or "..", so that a directory is written in one way only. */
export function homeOption(typed: string): string {
  const home = typed.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
  if (!home.startsWith("/") || home === "/")
    wrong(`--home ${typed}`, "an absolute path such as /home/mail/iain");
  if (/[\0-\x1f\x7f]/.test(home)) wrong("--home", "no line end, tab or other control character");
  if (home.split("/").some((part) => part === "." || part === ".."))
    wrong(`--home ${typed}`, 'no "." or ".."');
  if (toText(home) === undefined) wrong("--home", "UTF-8, which is what the database stores");
  return home;
}

export function typeOption(typed: string): PasswordType {
  return Object.hasOwn(PASSWORD_TYPES, typed)
    ? (typed as PasswordType)
    : wrong(`--type ${typed}`, "plain, crypt or mysql");
}

/** Checks that a login can contain a new password. It is never part of a message. */
export function newPassword(typed: string): string {
  if (typed === "") wrong("the password", "at least one character");
  if (typed.length > MAX_PASSWORD) wrong("the password", `at most ${MAX_PASSWORD} bytes`);
  if (/[\0\r\n]/.test(typed)) wrong("the password", "no NUL or line end");
  if (toText(typed) === undefined) wrong("the password", "UTF-8");
  return typed;
}
