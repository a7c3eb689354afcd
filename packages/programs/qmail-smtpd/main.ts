import { qmailHome } from "@qmail-mysql/control-files";
import { isWorker } from "@qmail-mysql/handover";
import { native } from "@qmail-mysql/native";
import { chdir, environment } from "@qmail-mysql/process";
import {
  drive,
  type Environment,
  environmentOf,
  newSession,
  type Ports,
  type Session,
  serve,
  UNREADABLE_CONTROLS,
} from "@qmail-mysql/smtp";
import { isStock, type OpenSettings, readSettings, rememberingSettings } from "@qmail-mysql/smtpd";
import { blockingPorts } from "./edge/blocking.ts";
import type { Extend } from "./extended.ts";

const REFUSED = 1; // exit code of stock qmail-smtpd
const TIMEOUT = 1_200_000; // milliseconds: control/timeoutsmtpd may not have been read

/** qmail-smtpd [checkpassword arg ...]: receives mail by SMTP on descriptors 0 and 1. qmail-smtpd(8). */
export async function main(args: readonly string[]): Promise<number> {
  const home = qmailHome();
  if (isWorker()) return worker(home, args);
  const fds = { input: 0, output: 1 };
  const c = native();
  const ports: Ports = { now: Date.now, ...(c ? blockingPorts(c, fds) : await portable(home)) };
  const extend = async () => (await import("./extended.ts")).extending(home, args, fds);
  return serveClient(ports, environmentOf(environment()), { settings: settingsIn(home), extend });
}

/** Serves many clients: started by tcpserver-sql -w. */
async function worker(home: string, args: readonly string[]): Promise<number> {
  const { serveConnections } = await import("./edge/resident.ts");
  let extend: Promise<Extend> | undefined;
  const extendOnce = () => {
    extend ??= import("./extended.ts").then(({ extending }) => extending(home, args, undefined));
    return extend;
  };
  const opening: Opening = {
    settings: rememberingSettings(home, settingsIn(home)),
    extend: extendOnce,
  };
  return serveConnections(home, (ports, env) => serveClient(ports, environmentOf(env), opening));
}

/** What a session is made of. */
interface Opening {
  /** Throws an error if they cannot be read. */
  readonly settings: () => OpenSettings;
  readonly extend: () => Promise<Extend>;
}

/** Serves a client up to the end of its session; returns the exit code of qmail-smtpd. */
async function serveClient(ports: Ports, own: Environment, opening: Opening): Promise<number> {
  const settings = attempt(opening.settings);
  try {
    let session: Session | undefined;
    if (settings && ports.startTls === undefined && isStock(settings, own)) {
      session = newSession({ settings, ports, environment: own });
    } else if (settings) session = await (await opening.extend())({ settings, ports, environment: own });
    if (session) return await drive(serve(session));
    await ports.write(`${UNREADABLE_CONTROLS}\r\n`, TIMEOUT);
    return REFUSED;
  } finally {
    settings?.close();
  }
}

/** Reads the settings in the qmail home, which is entered. */
function settingsIn(home: string): () => OpenSettings {
  return () => {
    chdir(home);
    return readSettings(home);
  };
}

/** Undefined if it is not possible, as in qmail without a log line. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

async function portable(home: string): Promise<Omit<Ports, "now" | "startTls">> {
  const { portablePorts } = await import("./edge/portable.ts");
  return portablePorts(home);
}
