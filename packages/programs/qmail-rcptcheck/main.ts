import { qmailHome } from "@qmail-mysql/control-files";
import { environment, print, say, writeAll } from "@qmail-mysql/process";
import type { CheckRecipient, RecipientVerdict } from "@qmail-mysql/recipient";
import { openRecipientCheck } from "@qmail-mysql/recipient-check";
import { OK, SOFT, Usage } from "@qmail-mysql/trouble";
import { serveDeliverable, serveSocketmap } from "./edge/connection.ts";
import { readRecipient } from "./edge/read-recipient.ts";
import { addressOf, exitCode, isPassed, line, pluginLine } from "./one-recipient.ts";

const NAME = "qmail-rcptcheck";
const USAGE = `${NAME} [ plugin | rcptcheck | recipients | socketmap | deliverable ]`;
const ERROR_TEXT = 4; // the descriptor for the SMTP reply, where $USE_FD4 is set

/** qmail-rcptcheck: is this recipient deliverable? By the interface of the program that asks; qmail-rcptcheck(8). */
export async function main(args: readonly string[]): Promise<number> {
  const env = environment();
  const [how = interfaceOf(env)] = args;
  // Not 100 or 1: one is a refusal of the recipient for the programs that run this, the other an acceptance.
  if (args.length > 1 || how === undefined) throw new Usage(SOFT, USAGE);
  switch (how) {
    case "plugin":
      return plugin(env);
    case "rcptcheck":
      return rcptCheck(env);
    case "recipients":
      return recipients(env);
    case "socketmap":
      return serve(serveSocketmap);
    case "deliverable":
      return serve(serveDeliverable);
    default:
      throw new Usage(SOFT, USAGE);
  }
}

/** The interface of a caller that passes no arguments. */
function interfaceOf(env: readonly string[]): "plugin" | "rcptcheck" | undefined {
  // The patch sets RECIPIENT for its program alone; what qmail-spp sets stays in the environment.
  if (addressOf(env, "RECIPIENT") !== undefined) return "rcptcheck";
  return addressOf(env, "SMTPRCPTTO") === undefined ? undefined : "plugin";
}

/** A plug-in of qmail-spp, which accepts if nothing is printed: so trouble has to be printed as well. */
async function plugin(env: readonly string[]): Promise<number> {
  if (isPassed(env)) return OK;
  print(pluginLine(await verdictAbout(addressOf(env, "SMTPRCPTTO") ?? "", env)));
  return OK;
}

/** Descriptors 0 and 1 are the SMTP connection. */
async function rcptCheck(env: readonly string[]): Promise<number> {
  const verdict = await verdictAbout(addressOf(env, "RECIPIENT") ?? "", env);
  const code = exitCode(verdict);
  if (code !== OK && addressOf(env, "USE_FD4") !== undefined) writeAll(ERROR_TEXT, `${line(verdict)}\n`);
  return code;
}

async function recipients(env: readonly string[]): Promise<number> {
  return exitCode(await verdictAbout(await readRecipient(), env));
}

async function verdictAbout(address: string, env: readonly string[]): Promise<RecipientVerdict> {
  const mayRelay = addressOf(env, "RELAYCLIENT") !== undefined;
  const { check, close } = await openCheck(false);
  const verdict = await check({ address, mayRelay });
  await close().catch(() => {});
  return verdict;
}

async function serve(serveConnection: (check: CheckRecipient) => Promise<void>): Promise<number> {
  const { check, close } = await openCheck(true);
  await serveConnection(check);
  await close().catch(() => {});
  return OK;
}

/** Opens the check; trouble is logged. */
async function openCheck(stays: boolean): ReturnType<typeof openRecipientCheck> {
  const { check, close } = await openRecipientCheck(qmailHome(), NAME, stays);
  const logged: CheckRecipient = async (request) => {
    const verdict = await check(request);
    if (verdict.verdict === "trouble") say(`${NAME}: warning: ${verdict.by}`);
    return verdict;
  };
  return { check: logged, close };
}
