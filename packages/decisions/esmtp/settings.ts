import { type BlocklistSettings, parseBlocklists } from "@qmail-mysql/blocklist";
import { ControlError, keyValues, type Setting } from "@qmail-mysql/control";
import type { Mechanism } from "./auth.ts";
import type { LogForm } from "./log.ts";

/** The settings of control/smtpd: qmail-smtpd(8). */
export interface EsmtpSettings {
  readonly size: boolean;
  readonly enhancedStatusCodes: boolean;
  readonly chunking: boolean;
  readonly startTls: "no" | "yes" | "required";
  readonly auth: readonly Mechanism[];
  readonly authClear: boolean;
  readonly authRequired: boolean;
  /** The checkpassword program and its arguments; none: qmail-sqld decides. */
  readonly authProgram: readonly string[];
  readonly submission: boolean;
  /** A login may send only with its own addresses; by default with submission. */
  readonly senderCheck: boolean;
  /** The name in the login log; undefined: by what it does. */
  readonly service: string | undefined;
  readonly recipientCheck: boolean;
  /** Unknown recipients at which the session ends; 0: no limit. */
  readonly unknownLimit: number;
  /** Seconds that a plug-in, or the program in $RCPTCHECK, may take. */
  readonly programTimeout: number;
  readonly xclient: readonly string[];
  /** The rules of tcpserver-sql -x, for the clients of those proxies. */
  readonly xclientRules: string | undefined;
  /** Those in the relay table may relay, as with tcpserver-sql -S. */
  readonly xclientRelay: boolean;
  /** The options of rblsmtpd; undefined: no client is refused. */
  readonly dnsbl: BlocklistSettings | undefined;
  readonly strayBytes: "refuse" | "accept";
  readonly log: LogForm;
}

/** As stock qmail-smtpd, but for stray bytes, and TLS where a server for it is given. */
export const STOCK: EsmtpSettings = {
  size: false,
  enhancedStatusCodes: false,
  chunking: false,
  startTls: "yes",
  auth: [],
  authClear: false,
  authRequired: false,
  authProgram: [],
  submission: false,
  senderCheck: false,
  service: undefined,
  recipientCheck: false,
  unknownLimit: 20,
  programTimeout: 300,
  xclient: [],
  xclientRules: undefined,
  xclientRelay: false,
  dnsbl: undefined,
  strayBytes: "refuse",
  log: "off",
};

type Value = EsmtpSettings[keyof EsmtpSettings];
type Parse = (value: string) => Value | undefined;

/** A key, how its value is parsed, and what is expected. */
type Key = readonly [name: keyof EsmtpSettings, parse: Parse, expected: string];

const oneOf =
  (...words: string[]): Parse =>
  (value) =>
    words.includes(value) ? (value as Value) : undefined;
const yesNo: Parse = (value) => (value === "yes" ? true : value === "no" ? false : undefined);
const words = (value: string): string[] => value.split(/[ \t]+/).filter((word) => word !== "");
const number: Parse = (value) => (/^\d{1,6}$/.test(value) ? Number(value) : undefined);
const flag = (name: keyof EsmtpSettings): Key => [name, yesNo, "yes or no"];

const MECHANISMS: readonly Mechanism[] = ["PLAIN", "LOGIN", "CRAM-MD5"];

const mechanisms: Parse = (value) => {
  if (value === "no") return [];
  const names = value.toUpperCase().split(/[ \t]+/);
  return names.every((name) => (MECHANISMS as readonly string[]).includes(name)) ? names : undefined;
};

const KEYS: Readonly<Record<string, Key>> = {
  size: flag("size"),
  enhancedstatuscodes: flag("enhancedStatusCodes"),
  chunking: flag("chunking"),
  starttls: ["startTls", oneOf("yes", "no", "required"), "yes, no or required"],
  auth: ["auth", mechanisms, "plain, login, cram-md5, or no"],
  auth_clear: flag("authClear"),
  auth_required: flag("authRequired"),
  auth_program: ["authProgram", words, "a program"],
  sender_check: flag("senderCheck"),
  submission: flag("submission"),
  service: ["service", oneOf("smtp", "submission", "submissions"), "smtp, submission or submissions"],
  recipient_check: flag("recipientCheck"),
  unknown_limit: ["unknownLimit", number, "a number"],
  program_timeout: ["programTimeout", (value) => number(value) || undefined, "a number of seconds"],
  xclient: ["xclient", words, "addresses"],
  xclient_rules: ["xclientRules", (value) => (value === "" ? undefined : value), "a file"],
  xclient_relay: flag("xclientRelay"),
  dnsbl: ["dnsbl", (value) => parseBlocklists(words(value)), "options of rblsmtpd: -b -B -c -C -t -r -a"],
  stray_bytes: ["strayBytes", oneOf("refuse", "accept"), "refuse or accept"],
  log: ["log", oneOf("off", "text", "json"), "off, text or json"],
};

/** Parses control/smtpd. Calls `warn` for unknown keys. Throws ControlError. */
export function parseSmtpd(bytes: string, file: string, warn: (line: string) => void): EsmtpSettings {
  const found: Partial<Record<keyof EsmtpSettings, Value>> = {};
  for (const setting of keyValues(bytes, file)) {
    const key = KEYS[setting.key];
    if (key) found[key[0]] = checked(setting, key, file);
    else warn(`${file} line ${setting.line}: unknown key ${setting.key}`);
  }
  const settings = { ...STOCK, ...(found as Partial<EsmtpSettings>) };
  const authRequired = settings.authRequired || settings.submission;
  if (authRequired && settings.auth.length === 0) {
    throw new ControlError(`${file}: auth_required and submission need auth`);
  }
  return {
    ...settings,
    authRequired,
    senderCheck: found.senderCheck === undefined ? settings.submission : settings.senderCheck,
  };
}

function checked({ value, line }: Setting, [, parse, expected]: Key, file: string): Value {
  const parsed = parse(value);
  if (parsed === undefined) throw new ControlError(`${file} line ${line}: expected ${expected}`);
  return parsed;
}
