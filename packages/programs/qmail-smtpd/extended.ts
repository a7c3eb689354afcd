import type { AuthenticateClient } from "@qmail-mysql/accounts";
import { type Configured, type ExtensionPorts, extensionsOf, type RunProgram } from "@qmail-mysql/esmtp";
import { native } from "@qmail-mysql/native";
import { say } from "@qmail-mysql/process";
import { newSession, type Parts, type Ports, type Session } from "@qmail-mysql/smtp";
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
  const runners = programRunners(fds ? "one" : "many");
  return async (parts) => {
    let configured: Configured;
    try {
      configured = readConfigured(home, parts.environment, (line) => say(`qmail-smtpd: warning: ${line}`));
    } catch (error) {
      say(`qmail-smtpd: fatal: unable to read controls: ${reason(error)}`);
      return undefined;
    }
    const { auth, authProgram, strayBytes } = configured.settings;
    const program = authProgram.length > 0 ? authProgram : args;
    const ports: ExtensionPorts = {
      authenticate: auth.length > 0 ? await openLogins(program) : undefined,
      ownsSender: undefined,
      checkRecipient: undefined,
      identify: undefined,
      ...runners,
    };
    return newSession({
      ...parts,
      settings: { ...parts.settings, refusesStray: strayBytes === "refuse" },
      ports: fds ? withTls(parts, fds) : parts.ports,
      extensions: extensionsOf(configured, ports),
    });
  };
}

function programRunners(sessions: "one" | "many"): Pick<ExtensionPorts, "runPlugin" | "runCheck"> {
  const c = native();
  const none: RunProgram = () => ({ output: "", code: "no process" });
  if (!c) return { runPlugin: none, runCheck: none };
  const runner = sessions === "one" ? programRunner : concurrentRunner;
  return { runPlugin: runner(c, "read"), runCheck: runner(c, "log") };
}

/** With STARTTLS by the TLS server in front, if there is one. */
function withTls({ ports, environment }: Parts, fds: ClientFds): Ports {
  const c = native();
  const tls = c && ucspiTls(environment);
  return c && tls ? { ...ports, startTls: startTlsBy(c, tls, fds) } : ports;
}
