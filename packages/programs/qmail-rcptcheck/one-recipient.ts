import { type RecipientVerdict, refusal } from "@qmail-mysql/recipient";
import { HARD, OK, SOFT } from "@qmail-mysql/trouble";

/** The value of a variable in an environment of byte strings; undefined if it is not set. */
export function addressOf(env: readonly string[], name: string): string | undefined {
  return env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Has qmail-smtpd decided already? The client may relay, or rcpthosts refuses the recipient. */
export function isPassed(env: readonly string[]): boolean {
  return addressOf(env, "RELAYCLIENT") !== undefined || addressOf(env, "SMTPRCPTHOSTSOK") === "0";
}

/** The reply as one SMTP line without its line end; "" if the recipient is accepted. */
export function line(verdict: RecipientVerdict): string {
  const reply = answer(verdict);
  return reply ? `${reply.code} ${reply.text} (#${reply.status})` : "";
}

/** What a plug-in of qmail-spp prints. The last byte of a line that is not terminated would be lost. */
export function pluginLine(verdict: RecipientVerdict): string {
  const text = line(verdict);
  return text === "" ? "" : `E${text}\n`;
}

/** The exit code for RCPTCHECK and for control/recipients. */
export function exitCode(verdict: RecipientVerdict): typeof OK | typeof HARD | typeof SOFT {
  const reply = answer(verdict);
  if (!reply) return OK;
  return reply.code === 451 ? SOFT : HARD;
}

/** That a host is not ours is for qmail-smtpd and its rcpthosts to say. */
function answer(verdict: RecipientVerdict) {
  return verdict.verdict === "not-ours" ? undefined : refusal(verdict);
}
