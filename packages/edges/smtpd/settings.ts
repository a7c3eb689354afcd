import { listEntries } from "@qmail-mysql/control";
import { hasControl } from "@qmail-mysql/control-files";
import { readWhole } from "@qmail-mysql/native";
import { dataBytesOf, type Settings, timeoutOf } from "@qmail-mysql/smtp";
import { errno } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { isLocalIp } from "./local-ip.ts";
import { moreRcptHosts } from "./more-rcpt-hosts.ts";
import { remembering } from "./remember.ts";

const TIMEOUT = 1200; // seconds: qmail-smtpd.c

/** The contents of a file, undefined if it does not exist. Throws with an errno. */
function contents(file: string): string | undefined {
  try {
    return readWhole(file);
  } catch (error) {
    if (errno(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Settings whose files are open until they are not used any more. */
export interface OpenSettings extends Settings {
  /** The control files that stock qmail-smtpd does not know, of those that exist. */
  readonly extensions: readonly string[];
  close(): void;
}

const EXTENSIONS = ["smtpd", "smtpplugins"];

const FILES = [
  "me",
  "smtpgreeting",
  "localiphost",
  "timeoutsmtpd",
  "rcpthosts",
  "morercpthosts.cdb",
  "badmailfrom",
  "databytes",
  ...EXTENSIONS,
];

/** Returns what `read`, which calls readSettings, returns, from memory while no file has changed since. */
export function rememberingSettings(home: string, read: () => OpenSettings): () => OpenSettings {
  return remembering(
    FILES.map((name) => `${home}/control/${name}`),
    read,
  );
}

/** The settings in the control files of a qmail home. Throws an error if one of them cannot be read. */
export function readSettings(home: string): OpenSettings {
  const read = (name: string) => contents(`${home}/control/${name}`);
  const line = (name: string) =>
    read(name)
      ?.split("\n", 1)[0]
      ?.replace(/[ \t]+$/, "");
  const list = (name: string) => {
    const text = read(name);
    return text === undefined ? undefined : new Set([...listEntries(text)].map(lower));
  };
  const me = line("me");
  const greeting = line("smtpgreeting") ?? me;
  if (greeting === undefined) throw new Error("there is neither smtpgreeting nor me");
  const localIpHost = line("localiphost") ?? me;
  const timeout = timeoutOf(line("timeoutsmtpd") ?? "") ?? TIMEOUT;
  const rcptHosts = list("rcpthosts");
  const more = rcptHosts && moreRcptHosts(`${home}/control/morercpthosts.cdb`);
  const badMailFrom = list("badmailfrom") ?? new Set();
  const dataBytes = dataBytesOf(line("databytes") ?? "") ?? 0;
  return {
    greeting,
    localIpHost,
    timeout: timeout * 1000,
    rcptHosts,
    isInMoreRcptHosts: (key) => more?.has(key) ?? false,
    badMailFrom,
    dataBytes,
    refusesStray: true,
    extensions: EXTENSIONS.filter((name) => hasControl(home, name)),
    isLocalIp,
    close: () => more?.close(),
  };
}
