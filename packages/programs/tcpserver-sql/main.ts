import { availableParallelism } from "node:os";
import { baseEnvironment } from "@qmail-mysql/connection";
import type { Notify, RelaySql } from "@qmail-mysql/control";
import { qmailHome } from "@qmail-mysql/control-files";
import { environment, resident, say } from "@qmail-mysql/process";
import { openRelayAnswers, readSql, relaySqldPath } from "@qmail-mysql/relay-store";
import { rulesReader } from "@qmail-mysql/tcp-rules";
import { Die, HARD, OK, reason, SOFT } from "@qmail-mysql/trouble";
import { type Certificates, openCertificates } from "./edge/certificates.ts";
import { dnsNames } from "./edge/dns.ts";
import { askIdent } from "./edge/ident.ts";
import { dropPrivileges, listenOn } from "./edge/listen.ts";
import { mail } from "./edge/mail.ts";
import { type Monitor, openMonitor } from "./edge/monitor.ts";
import { releaseStdio } from "./edge/release-stdio.ts";
import { tcpSystem } from "./edge/tcp.ts";
import type { Programs, TcpSystem } from "./edge/tcp-system.ts";
import { openWorkers } from "./edge/workers.ts";
import { hourly } from "./notify.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { type RelaySource, relaySource } from "./relay-source.ts";
import { serve } from "./serve.ts";

const NAME = "tcpserver"; // its log lines begin with this

/** tcpserver with the relay table of control/sql: tcpserver-sql(8). */
export async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "--keys") return (await import("./edge/key-opener.ts")).openKeys();
  const options = parseOptions(args, (line) => say(`${NAME}: ${line}`));
  if (!options) {
    say(`${NAME}: usage: ${USAGE}`);
    return HARD;
  }
  const speak = (level: 1 | 2, line: string) => {
    if (options.verbosity >= level) say(`${NAME}: ${line}`);
  };
  resident();
  try {
    const base = baseEnvironment(environment());
    const settings = options.sql ? readRelaySettings() : undefined;
    const system = await tcpSystem();
    const listeners = await listenOn(system, options, (line) => speak(1, `warning: ${line}`));
    const warn = warner(speak, settings, (to, line) => mail(system, qmailHome(), base, to, line));
    const relay = settings && openRelay(settings, warn);
    if (relay) process.on("SIGHUP", relay.reload);
    const certificates =
      options.workers === undefined ? undefined : openCertificates(system, qmailHome(), base);
    const monitor = options.monitor ? openMonitor(system, options.program, base) : undefined;
    dropPrivileges(options);
    const started = await programs(system, options, base, certificates, monitor, speak);
    releaseStdio(options, listeners);
    let code = OK;
    const onStop = (stop: () => void) => {
      process.once("SIGTERM", stop);
      const lost = (what: string) => () => {
        speak(1, `fatal: ${what} has ended`);
        code = SOFT;
        stop();
      };
      certificates?.onEnd(lost("the process that reads the certificates"));
      monitor?.onEnd(lost("the monitor"));
    };
    await serve(options, {
      system,
      listeners,
      base,
      programs: started,
      names: dnsNames(process.env.DNSCACHEIP),
      askIdent,
      openRules: rulesReader(),
      relay,
      onStop,
      say: speak,
    });
    return code;
  } catch (error) {
    if (!(error instanceof Die)) speak(1, `fatal: ${reason(error)}`);
    return SOFT;
  }
}

/** The given program for each connection, or workers that serve many of them. */
async function programs(
  system: TcpSystem,
  { program, workers }: Options,
  base: readonly string[],
  certificates: Certificates | undefined,
  monitor: Monitor | undefined,
  speak: (level: 1 | 2, line: string) => void,
): Promise<Programs> {
  if (workers === undefined) {
    return { isReady: () => true, start: system.spawner(program), watch: system.watchChildren };
  }
  const read = await certificates?.read();
  const count = workers || availableParallelism();
  const all = openWorkers({ system, program, count, base, monitor, say: (line) => speak(1, line) });
  if (read && certificates) {
    all.certify(read);
    process.on("SIGHUP", () => {
      certificates.read().then(all.certify.bind(all), (error) => speak(1, `warning: ${reason(error)}`));
    });
  }
  return all;
}

/** Reads control/sql, and if it names no database the path of qmail-sqld's socket. Throws Trouble. */
function readRelaySettings(): RelaySql {
  const home = qmailHome();
  const settings = readSql(home, NAME);
  if (!settings.database) relaySqldPath(home);
  return settings;
}

/** `first` was read before -u takes effect; the database is asked as that user. */
function openRelay(first: RelaySql, warn: (line: string) => void): RelaySource {
  const home = qmailHome();
  let unused: RelaySql | undefined = first;
  return relaySource({
    read() {
      const settings = unused ?? readRelaySettings();
      unused = undefined;
      return settings;
    },
    open: (config, timeout) => openRelayAnswers(config, home, "resident", timeout),
    warn,
  });
}

/** Reports warnings about the relay table, to the log and to notify_email. */
function warner(
  speak: (level: 1 | 2, line: string) => void,
  settings: RelaySql | undefined,
  send: (to: Notify, line: string) => void,
): (line: string) => void {
  const notify = settings?.notify;
  const post =
    notify &&
    hourly(
      (line) => send(notify, line),
      () => performance.now() / 1000,
    );
  return (line) => {
    speak(1, `warning: ${line}`);
    try {
      post?.(line);
    } catch (error) {
      speak(1, `warning: ${reason(error)}`);
    }
  };
}
