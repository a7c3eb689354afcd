import { closeSync, openSync, readFileSync } from "node:fs";
import { qmailHome } from "@qmail-mysql/control-files";
import { resident, say, writeAll } from "@qmail-mysql/process";
import { openRelayAnswers, readSql } from "@qmail-mysql/store";
import { Die, HARD, OK, reason, SOFT } from "@qmail-mysql/trouble";
import { dnsNames } from "./dns.ts";
import { tcpSystem } from "./edge/tcp.ts";
import type { TcpListener } from "./edge/tcp-system.ts";
import { baseEnvironment } from "./environment.ts";
import { askIdent } from "./ident.ts";
import { dropPrivileges, listenOn } from "./listen.ts";
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
    const system = await tcpSystem();
    const listeners = await listenOn(system, options, (line) => speak(1, `warning: ${line}`));
    const relay = options.sql ? openRelay(speak) : undefined;
    if (relay) process.on("SIGHUP", relay.reload);
    dropPrivileges(options);
    giveAway(options, listeners);
    await serve(options, {
      system,
      listeners,
      base: baseEnvironment(entries),
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

/** control/sql is read while we may still read it; the database is asked later, as whoever we become. */
function openRelay(speak: (level: 1 | 2, line: string) => void): RelaySource {
  const home = qmailHome();
  return relaySource({
    read: () => readSql(home, NAME),
    open: (config, timeout) => openRelayAnswers(config, home, "resident", timeout),
    warn: (line) => speak(1, `warning: ${line}`),
  });
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
