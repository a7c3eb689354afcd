import type { DecideAgain } from "@qmail-mysql/connection";
import { say } from "@qmail-mysql/process";
import { openDecideAgain } from "@qmail-mysql/tcp-rules";

/** The decision of tcpserver-sql, for clients that a proxy names. */
export function openDecisions(qmailHome: string, rules: string | undefined, relay: boolean): DecideAgain {
  const program = "qmail-smtpd";
  const warn = (line: string) => say(`${program}: warning: ${line}`);
  return openDecideAgain({ qmailHome, program, rules, relay, warn });
}
