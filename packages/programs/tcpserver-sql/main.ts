import { closeSync, openSync, readFileSync } from "node:fs";
import type { Notify, RelaySql } from "@qmail-mysql/control";
import { qmailHome } from "@qmail-mysql/control-files";
import { resident, say, writeAll } from "@qmail-mysql/process";
import { openRelayAnswers, readSql, relaySqldPath } from "@qmail-mysql/store";
import { Die, HARD, OK, reason, SOFT } from "@qmail-mysql/trouble";
import { dnsNames } from "./dns.ts";
import { mail } from "./edge/mail.ts";
import { tcpSystem } from "./edge/tcp.ts";
import type { TcpListener } from "./edge/tcp-system.ts";
import { baseEnvironment } from "./environment.ts";
import { askIdent } from "./ident.ts";
import { dropPrivileges, listenOn } from "./listen.ts";
import { hourly } from "./notify.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { type RelaySource, relaySource } from "./relay-source.ts";
import { rulesReader } from "./rules-file.ts";
import { serve } from "./serve.ts";

const NAME = "tcpserver"; // what its log lines have always begun with

/** tcpserver, with the relay table of control/sql; tcpserver-sql(8). */
export async function main(args: readonly string[]): Promise<number> {
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
    const entries = readFileSync("/proc/self/environ", "latin1").split("\0");
    const base = baseEnvironment(entries);
    const settings = options.sql ? readRelaySettings() : undefined;
    const system = await tcpSystem();
    const listeners = await listenOn(system, options, (line) => speak(1, `warning: ${line}`));
    const warn = warner(speak, settings, (to, line) => mail(system, qmailHome(), base, to, line));
    const relay = settings && openRelay(settings, warn);
    if (relay) process.on("SIGHUP", relay.reload);
    dropPrivileges(options);
    giveAway(options, listeners);
    await serve(options, {
      system,
      listeners,
      base,
      spawn: system.spawner(options.program),
      names: dnsNames(process.env.DNSCACHEIP),
      askIdent,
      openRules: rulesReader(),
      relay,
      say: speak,
    });
    return OK;
  } catch (error) {
    if (!(error instanceof Die)) speak(1, `fatal: ${reason(error)}`);
    return SOFT;
  }
}

/** control/sql, and where it names no database the path to qmail-sqld. Throws Trouble: nothing is served then. */
function readRelaySettings(): RelaySql {
  const home = qmailHome();
  const settings = readSql(home, NAME);
  if (!settings.database) relaySqldPath(home);
  return settings;
}

/** `first` was read while we could still read it; the database is asked later, as the user we become. */
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

/** Where warnings about the relay table go: to the log, and to notify_email. */
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

/** Says the port if asked to, and lets go of descriptors 0 and 1: they are not ours to hold. */
function giveAway({ printPort }: Options, [first]: readonly TcpListener[]): void {
  if (printPort) writeAll(1, `${first?.port}\n`);
  for (const [fd, mode] of [
    [0, "r"],
    [1, "w"],
  ] as const) {
    try {
      closeSync(fd);
    } catch {
      // it was closed when we were started
    }
    openSync("/dev/null", mode); // the lowest free one: nothing of ours may become a child's 0 or 1
  }
}
