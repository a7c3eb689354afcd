import type { AuthenticateClient, OwnsSender } from "@qmail-mysql/accounts";
import { type Configured, type ExtensionPorts, extensionsOf, type RunProgram } from "@qmail-mysql/esmtp";
import { native } from "@qmail-mysql/native";
import { say } from "@qmail-mysql/process";
import type { CheckRecipient } from "@qmail-mysql/recipient";
import { type Environment, newSession, type Parts, type Ports, type Session } from "@qmail-mysql/smtp";
import { readConfigured } from "@qmail-mysql/smtpd/configured";
import { reason } from "@qmail-mysql/trouble";
import type { ClientFds } from "./edge/blocking.ts";
import { concurrentRunner, programRunner } from "./edge/run-program.ts";
import { startTlsBy, ucspiTls } from "./edge/ucspi-tls.ts";

/** Makes a session with what is configured beyond stock; undefined if a file of that cannot be used, which is logged. */
export type Extend = (parts: Parts) => Promise<Session | undefined>;

/**
 * What the extensions ask is opened when one of them is configured first, once for all sessions. `args` are those of
 * qmail-smtpd: a checkpassword program, as with the patches. `fds` are those of the client, if the process has only one.
 */
export function extending(home: string, args: readonly string[], fds: ClientFds | undefined): Extend {
  const logins = new Map<string, Promise<AuthenticateClient>>();
  const openLogins = (program: readonly string[]) => {
    const key = program.join("\0");
    const opened =
      logins.get(key) ?? import("./logins.ts").then((loaded) => loaded.openLogins(home, program));
    logins.set(key, opened);
    return opened;
  };
  let senders: Promise<OwnsSender> | undefined;
  const openSenders = () => {
    senders ??= import("./logins.ts").then((loaded) => loaded.openSenders(home));
    return senders;
  };
  let recipients: Promise<CheckRecipient> | undefined;
  const openRecipients = () => {
    recipients ??= import("./recipients.ts").then((loaded) => loaded.openRecipients(home, fds === undefined));
    return recipients;
  };
  let blocklists: Promise<ReturnType<typeof import("./blocklists.ts").openBlocklists>> | undefined;
  const openBlocklists = () => {
    blocklists ??= import("./blocklists.ts").then((loaded) => loaded.openBlocklists());
    return blocklists;
  };
  return async (parts) => {
    let configured: Configured;
    try {
      configured = configuredIn(home, parts.environment, args);
    } catch (error) {
      say(`qmail-smtpd: fatal: unable to read controls: ${reason(error)}`);
      return undefined;
    }
    const { auth, authProgram, dnsbl, recipientCheck, senderCheck, strayBytes, xclient } =
      configured.settings;
    const ports: ExtensionPorts = {
      checkBlocklists: dnsbl && (await openBlocklists())(dnsbl),
      authenticate: auth.length > 0 ? await openLogins(authProgram) : undefined,
      ownsSender: senderCheck ? await openSenders() : undefined,
      checkRecipient: recipientCheck ? await openRecipients() : undefined,
      decideAgain: xclient.length > 0 ? await openAgain(home, configured.settings) : undefined,
      ...programRunners(fds ? "one" : "many", configured.settings.programTimeout * 1000),
    };
    return newSession({
      ...parts,
      settings: { ...parts.settings, refusesStray: strayBytes === "refuse" },
      ports: fds ? withTls(parts, fds) : parts.ports,
      extensions: extensionsOf(configured, ports),
    });
  };
}

function configuredIn(home: string, environment: Environment, args: readonly string[]): Configured {
  const configured = readConfigured(home, environment, (line) => say(`qmail-smtpd: warning: ${line}`));
  const { settings } = configured;
  return settings.authProgram.length > 0
    ? configured
    : { ...configured, settings: { ...settings, authProgram: args } };
}

function programRunners(
  sessions: "one" | "many",
  ms: number,
): Pick<ExtensionPorts, "runPlugin" | "runCheck"> {
  const c = native();
  const none: RunProgram = () => ({ output: "", code: "no process" });
  if (!c) return { runPlugin: none, runCheck: none };
  const runner = sessions === "one" ? programRunner : concurrentRunner;
  return { runPlugin: runner(c, "read", ms), runCheck: runner(c, "log", ms) };
}

async function openAgain(home: string, { xclientRules, xclientRelay }: Configured["settings"]) {
  const { openDecisions } = await import("./decisions.ts");
  return openDecisions(home, xclientRules, xclientRelay);
}

/** With STARTTLS by the TLS server in front, if there is one. */
function withTls({ ports, environment }: Parts, fds: ClientFds): Ports {
  const c = native();
  const tls = c && ucspiTls(environment);
  return c && tls ? { ...ports, startTls: startTlsBy(c, tls, fds) } : ports;
}
