import { type Ip, parseIp } from "@qmail-mysql/wire";
import { clientsOf } from "./relay-clients.ts";

/**
 * The client address of a login, to be recorded: TCPREMOTEIP (tcpserver), else IP (post-login scripts of Dovecot).
 * Undefined if there is no valid one, or if it is listed as local.
 */
export function loginAddress(
  env: Readonly<Record<string, string | undefined>>,
  local: readonly string[],
): Ip | undefined {
  const ip = parseIp(env.TCPREMOTEIP ?? env.IP ?? "");
  return ip && !clientsOf(local).contains(ip, 0) ? ip : undefined;
}
