import { controlNumber } from "./control-number.ts";
import { say } from "./io.ts";
import { qmailHome } from "./qmail-home.ts";

const STOCK = 1200; // seconds: qmail-popup.c, qmail-pop3d.c

/** Milliseconds that a POP3 server waits for its client: control/timeoutpop3d in seconds, at least 1. */
export function popTimeout(program: string): number {
  const warn = (line: string) => say(`${program}: warning: ${line}`);
  return 1000 * Math.max(1, controlNumber(qmailHome(), "timeoutpop3d", STOCK, warn));
}
