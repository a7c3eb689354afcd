import type { AuthenticateClient, OwnsSender } from "@qmail-mysql/accounts";
import type { CheckBlocklists } from "@qmail-mysql/blocklist";
import type { DecideAgain } from "@qmail-mysql/connection";
import { type CheckRecipient, UNKNOWN_LIMITS } from "@qmail-mysql/recipient";
import type { Environment, Extension } from "@qmail-mysql/smtp";
import { auth } from "./auth.ts";
import { blocklist, refuseListed } from "./blocklist.ts";
import { chunking } from "./chunking.ts";
import { enhancedCodes } from "./enhanced-codes.ts";
import { log } from "./log.ts";
import type { Plugins } from "./plugin-config.ts";
import { plugins } from "./plugins.ts";
import type { RunProgram } from "./programs.ts";
import { rcptCheck } from "./rcpt-check.ts";
import { recipients } from "./recipients.ts";
import { senders } from "./senders.ts";
import type { EsmtpSettings } from "./settings.ts";
import { size } from "./size.ts";
import { starttls } from "./starttls.ts";
import { submission } from "./submission.ts";
import { xclient } from "./xclient.ts";

/** What the extensions ask, each only if it is configured. */
export interface ExtensionPorts {
  readonly authenticate: AuthenticateClient | undefined;
  readonly ownsSender: OwnsSender | undefined;
  readonly checkRecipient: CheckRecipient | undefined;
  /** Is the client on a blocklist? */
  readonly checkBlocklists: CheckBlocklists | undefined;
  /** Repeats the decision of tcpserver-sql for a client that a proxy has named. */
  readonly decideAgain: DecideAgain | undefined;
  /** Runs a plug-in of qmail-spp, whose output is read. */
  readonly runPlugin: RunProgram;
  /** Runs the program in $RCPTCHECK. */
  readonly runCheck: RunProgram;
}

export interface Configured {
  readonly settings: EsmtpSettings;
  readonly plugins: Plugins | undefined;
  readonly hasRcptCheck: boolean;
}

const AUTH_DELAY = 5000; // milliseconds after a failed login with a checkpassword program, as in the patches

/** The extensions of one session, in the order in which they decide. */
export function extensionsOf(configured: Configured, ports: ExtensionPorts): Extension[] {
  const { settings } = configured;
  const spp = configured.plugins && plugins(configured.plugins, ports.runPlugin);
  const check = ports.checkBlocklists;
  const all: (Extension | false | undefined)[] = [
    settings.log !== "off" && log(settings.log),
    check && blocklist(check),
    settings.enhancedStatusCodes && enhancedCodes,
    ports.decideAgain &&
      settings.xclient.length > 0 &&
      xclient({
        proxies: settings.xclient,
        decide: ports.decideAgain,
        refuseListed: check && ((session) => refuseListed(session, check)),
      }),
    starttls(settings.startTls),
    ports.authenticate &&
      settings.auth.length > 0 &&
      auth({
        mechanisms: settings.auth,
        isAllowedInClear: settings.authClear,
        isRequired: settings.authRequired,
        service: ({ environment }) => settings.service ?? serviceOf(settings, environment),
        delay: settings.authProgram.length > 0 ? AUTH_DELAY : 0,
        authenticate: ports.authenticate,
        ...(spp && { accepted: spp.afterLogin }),
      }),
    settings.size && size,
    settings.chunking && chunking(),
    ports.ownsSender && settings.senderCheck && senders(ports.ownsSender),
    settings.submission && submission(),
    spp?.hooks,
    configured.hasRcptCheck && rcptCheck(ports.runCheck),
    ports.checkRecipient &&
      settings.recipientCheck &&
      recipients(ports.checkRecipient, { ...UNKNOWN_LIMITS, most: settings.unknownLimit }),
    spp?.last,
  ];
  return all.filter((each) => each !== false && each !== undefined);
}

function serviceOf({ submission }: EsmtpSettings, { get }: Environment): string {
  if (!submission) return "smtp";
  return get("SMTPS") === undefined ? "submission" : "submissions";
}
