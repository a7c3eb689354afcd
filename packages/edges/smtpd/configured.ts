import { type Configured, parsePlugins, parseSmtpd, STOCK } from "@qmail-mysql/esmtp";
import { readWhole } from "@qmail-mysql/native";
import type { Environment } from "@qmail-mysql/smtp";
import { errno } from "@qmail-mysql/trouble";

/** The names of the files that configure extensions, below the qmail home. */
const SMTPD = "control/smtpd";
const PLUGINS = "control/smtpplugins";

/**
 * What is configured beyond stock: $SMTPDCONF or control/smtpd, $SPPCONFFILE or control/smtpplugins without $NOSPP, and
 * $RCPTCHECK. Throws an error if a file that is there, or named, cannot be used.
 */
export function readConfigured(home: string, { get }: Environment, warn: (line: string) => void): Configured {
  const text = (name: string, isRequired: boolean) =>
    contents(name.startsWith("/") ? name : `${home}/${name}`, isRequired);
  const named = get("SMTPDCONF");
  const file = named ?? SMTPD;
  const smtpd = text(file, named !== undefined);
  const plugins =
    get("NOSPP") === undefined
      ? text(get("SPPCONFFILE") ?? PLUGINS, get("SPPCONFFILE") !== undefined)
      : undefined;
  return {
    settings: smtpd === undefined ? STOCK : parseSmtpd(smtpd, file, warn),
    plugins: plugins === undefined ? undefined : parsePlugins(plugins),
    hasRcptCheck: get("RCPTCHECK") !== undefined,
  };
}

function contents(file: string, isRequired: boolean): string | undefined {
  try {
    return readWhole(file);
  } catch (error) {
    if (!isRequired && errno(error) === "ENOENT") return undefined;
    throw error;
  }
}
