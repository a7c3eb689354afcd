import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import type { Notify } from "@qmail-mysql/control";
import { reason } from "@qmail-mysql/trouble";
import type { TcpSystem } from "./tcp-system.ts";

const INJECT = 'printf "%s" "$NOTICE" | exec "$0" -f "$1" -- "$2"';

/** Mails a line with qmail-inject(8) of `home`, without waiting for it. Errors are logged on descriptor 2. */
export function mail(
  system: TcpSystem,
  home: string,
  base: readonly string[],
  to: Notify,
  line: string,
): void {
  const notice = `From: ${to.from}\nTo: ${to.to}\nSubject: tcpserver on ${hostname()}: trouble\n\n${line}\n`;
  const inject = system.spawner(["/bin/sh", "-c", INJECT, `${home}/bin/qmail-inject`, to.from, to.to]);
  const nothing = openSync("/dev/null", "r+");
  try {
    inject([...base, `NOTICE=${notice}`], nothing);
  } catch (error) {
    throw new Error(`unable to mail ${to.to}: ${reason(error)}`);
  } finally {
    closeSync(nothing);
  }
}
