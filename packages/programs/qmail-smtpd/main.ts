import { qmailHome } from "@qmail-mysql/control-files";
import { isWorker } from "@qmail-mysql/handover";
import { native } from "@qmail-mysql/native";
import { chdir, environment } from "@qmail-mysql/process";
import {
  drive,
  environmentOf,
  newSession,
  type Ports,
  serve,
  starttls,
  UNREADABLE_CONTROLS,
} from "@qmail-mysql/smtp";
import { type OpenSettings, readSettings } from "@qmail-mysql/smtpd";
import { blockingPorts } from "./edge/blocking.ts";

const REFUSED = 1; // exit code of stock qmail-smtpd

/** qmail-smtpd: receives mail by SMTP on descriptors 0 and 1. qmail-smtpd(8). */
export async function main(): Promise<number> {
  const home = qmailHome();
  if (isWorker()) return worker(home);
  const c = native();
  const ports: Ports = { now: Date.now, ...(c ? blockingPorts(c) : await portable(home)) };
  return session(home, ports, environment());
}

async function session(home: string, ports: Ports, env: readonly string[]): Promise<number> {
  const settings = settingsIn(home);
  if (!settings) {
    await ports.write(`${UNREADABLE_CONTROLS}\r\n`, CONTROLS_TIMEOUT);
    return REFUSED;
  }
  try {
    const environment = environmentOf(env);
    return await drive(serve(newSession({ settings, ports, environment, extensions: [starttls] })));
  } finally {
    settings.close();
  }
}

/** Serves many clients: started by tcpserver-sql -w. */
async function worker(home: string): Promise<number> {
  const { serveConnections } = await import("./edge/resident.ts");
  return serveConnections((ports, env) => session(home, ports, env));
}

const CONTROLS_TIMEOUT = 1_200_000; // milliseconds: control/timeoutsmtpd may not have been read

/** The settings, in the qmail home, which is entered; undefined if that is not possible. */
function settingsIn(home: string): OpenSettings | undefined {
  try {
    chdir(home);
    return readSettings(home);
  } catch {
    return undefined;
  }
}

async function portable(home: string): Promise<Omit<Ports, "now">> {
  const { portablePorts } = await import("./edge/portable.ts");
  return portablePorts(home);
}
