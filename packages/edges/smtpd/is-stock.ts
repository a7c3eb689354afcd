import { hasControl } from "@qmail-mysql/control-files";
import type { Environment } from "@qmail-mysql/smtp";

/** Variables that configure what stock qmail-smtpd does not know. */
const NAMES = ["SMTPDCONF", "SPPCONFFILE", "RCPTCHECK", "SSLCTLFD", "SMTPS"];

/** Is nothing configured that stock qmail-smtpd does not know? */
export function isStock(home: string, { get }: Environment): boolean {
  if (NAMES.some((name) => get(name) !== undefined)) return false;
  return !hasControl(home, "smtpd") && (get("NOSPP") !== undefined || !hasControl(home, "smtpplugins"));
}
