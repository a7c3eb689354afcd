import { say } from "@qmail-mysql/process";
import { controlNumber } from "./control-number.ts";
import { qmailHome } from "./qmail-home.ts";

const STOCK = 1200; // seconds: qmail-popup.c, qmail-pop3d.c

/**
 * Does the greeting contain a timestamp, which offers APOP? In stock qmail-popup it always does. Some clients then try
 * only APOP, which fails if passwords are hashed; 0 in control/pop3apop omits the timestamp.
 */
export function offersApop(program: string): boolean {
  return controlNumber(qmailHome(), "pop3apop", 1, warner(program)) !== 0;
}

/** Milliseconds that a POP3 server waits for its client; control/timeoutpop3d is in seconds, at least 1. */
export function popTimeout(program: string): number {
  return 1000 * Math.max(1, controlNumber(qmailHome(), "timeoutpop3d", STOCK, warner(program)));
}

const warner = (program: string) => (line: string) => say(`${program}: warning: ${line}`);
