import type { Credentials, Verdict } from "@qmail-mysql/accounts";
import { judgeAsSystem, judgeHere } from "@qmail-mysql/authenticate/judge";
import { qmailHome } from "@qmail-mysql/control-files";
import { closeFd } from "@qmail-mysql/native";
import { exec, given, isRoot, readAllWithin } from "@qmail-mysql/process";
import { askVerdict, tellVerdict } from "@qmail-mysql/sqld-client";
import { openSite, type Site } from "@qmail-mysql/store";
import { Die, MISUSED, REFUSED, reason, Trouble, Usage } from "@qmail-mysql/trouble";
import { become } from "./become.ts";
import { parseCredentials } from "./credentials.ts";

const MAX_INPUT = 512; // checkpassword(8): at most 512 bytes on descriptor 3
const SMTP = ["25", "465", "587"]; // clients that authenticate by SMTP are not recorded, as in vpopmail
const READ_LIMIT = 60_000; // milliseconds; the calling program has already read the login

/** checkpassword prog: authenticates a login, becomes the user and runs prog. checkpassword(8). */
export async function main(prog: readonly string[]): Promise<number> {
  if (prog.length === 0) throw new Usage(MISUSED, "checkpassword prog");
  const credentials = await readCredentials();
  if (!credentials) return REFUSED;
  const qmail = qmailHome();
  const site = await openSite(qmail, "checkpassword");
  let verdict: Verdict;
  try {
    verdict = await judge(credentials, site);
  } finally {
    await site.store.close(); // before exec, so that the connection is closed properly
  }
  if ("refused" in verdict) return REFUSED;
  const opened = site.settings.relay && (await openRelay(qmail, verdict.accepted.user));
  const environment = become(verdict.accepted, site.sqld !== undefined);
  return exec(prog, opened ? { ...environment, RELAYOPENED: "" } : environment);
}

/** Records the login, as root, which may read control/sql. False if it has not to be recorded here. */
async function openRelay(qmail: string, user: string): Promise<boolean> {
  if (!isRoot() || SMTP.includes(process.env.TCPLOCALPORT ?? "")) return false;
  const { recordLogin } = await import("@qmail-mysql/relay-store/record-login"); // loaded only with `relay yes`
  await recordLogin(qmail, "checkpassword", { ...process.env, USER: user });
  return true;
}

/** Decides the login. With qmail-sqld, that decides about mailboxes, and this process only about system accounts. */
async function judge(credentials: Credentials, site: Site): Promise<Verdict> {
  const { settings, sqld } = site;
  if (!sqld) return judgeHere(credentials, site);
  const client = { address: process.env.TCPREMOTEIP ?? "", port: process.env.TCPLOCALPORT ?? "" };
  const verdict = await askVerdict(sqld, credentials, client, settings.timeout);
  // Without root system accounts are not looked up, so that the exit code does not reveal which exist.
  if ("accepted" in verdict || !isRoot()) return verdict;
  const ofSystem = judgeAsSystem(credentials, site);
  if (verdict.refused === "unknown") {
    const own = await ofSystem;
    await tellVerdict(sqld, credentials.login, own, client, settings.timeout).catch(() => {}); // on failure it is only missing in its log
    return own;
  }
  await ofSystem.catch(() => {}); // only to take the same time, as in authenticate
  return verdict;
}

/** Reads descriptor 3; undefined if it is too long for a login. */
async function readCredentials(): Promise<Credentials | undefined> {
  if (!given(3)) throw new Trouble("unable to read descriptor 3: file descriptor not open");
  let bytes: string;
  try {
    bytes = await readAllWithin(3, MAX_INPUT, READ_LIMIT);
    closeFd(3);
  } catch (error) {
    throw new Trouble(`unable to read descriptor 3: ${reason(error)}`);
  }
  if (bytes.length > MAX_INPUT) return undefined;
  const credentials = parseCredentials(bytes);
  if (!credentials)
    throw new Die(MISUSED, "unable to use descriptor 3: login or password has no NUL at its end");
  return credentials;
}
