import type { Environment } from "@qmail-mysql/smtp";
import type { OpenSettings } from "./settings.ts";

/** Variables that configure what stock qmail-smtpd does not know. */
const NAMES = ["SMTPDCONF", "SPPCONFFILE", "RCPTCHECK", "SSLCTLFD", "SMTPS"];

/** Is nothing configured that stock qmail-smtpd does not know? */
export function isStock({ extensions }: OpenSettings, { get }: Environment): boolean {
  if (NAMES.some((name) => get(name) !== undefined)) return false;
  return extensions.every((name) => name === "smtpplugins" && get("NOSPP") !== undefined);
}
