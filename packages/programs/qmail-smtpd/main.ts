import { qmailHome } from "@qmail-mysql/control-files";
import { native } from "@qmail-mysql/native";
import { chdir, environment } from "@qmail-mysql/process";
import {
  drive,
  environmentOf,
  newSession,
  type Ports,
  type Settings,
  serve,
  UNREADABLE_CONTROLS,
} from "@qmail-mysql/smtp";
import { readSettings } from "@qmail-mysql/smtpd";
import { blockingPorts } from "./edge/blocking.ts";

const REFUSED = 1; // exit code of stock qmail-smtpd

/** qmail-smtpd: receives mail by SMTP on descriptors 0 and 1. qmail-smtpd(8). */
export async function main(): Promise<number> {
  const home = qmailHome();
  const c = native();
  const ports: Ports = { now: Date.now, ...(c ? blockingPorts(c) : await portable(home)) };
  const settings = settingsIn(home);
  if (!settings) {
    await ports.write(`${UNREADABLE_CONTROLS}\r\n`, CONTROLS_TIMEOUT);
    return REFUSED;
  }
  return drive(serve(newSession({ settings, ports, environment: environmentOf(environment()) })));
}

const CONTROLS_TIMEOUT = 1_200_000; // milliseconds: control/timeoutsmtpd may not have been read

/** The settings, in the qmail home, which is entered; undefined if that is not possible. */
function settingsIn(home: string): Settings | undefined {
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
