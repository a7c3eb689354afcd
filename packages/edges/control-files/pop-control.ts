import { say } from "@qmail-mysql/process";
import { controlNumber } from "./control-number.ts";
import { qmailHome } from "./qmail-home.ts";

const STOCK = 1200; // seconds: qmail-popup.c, qmail-pop3d.c

/**
 * Does the greeting hold a timestamp, and so offer APOP? Stock's always does, and some clients then try nothing
 * else, in vain where passwords are hashed: 0 in control/pop3apop leaves it out.
 */
export function offersApop(program: string): boolean {
  return controlNumber(qmailHome(), "pop3apop", 1, warner(program)) !== 0;
}

/** Milliseconds that a POP3 server waits for its client: control/timeoutpop3d in seconds, at least 1. */
export function popTimeout(program: string): number {
  return 1000 * Math.max(1, controlNumber(qmailHome(), "timeoutpop3d", STOCK, warner(program)));
}

const warner = (program: string) => (line: string) => say(`${program}: warning: ${line}`);
