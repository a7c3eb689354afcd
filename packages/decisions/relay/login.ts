import { type Ip, parseIp } from "@qmail-mysql/wire";
import { clientsOf } from "./relay-clients.ts";

/**
 * The address from which a user logged in, as it is to be recorded: of TCPREMOTEIP (tcpserver), else of IP
 * (Dovecot's post-login scripts). Undefined when there is none that can be read, or when it is listed as local.
 */
export function loginAddress(
  env: Readonly<Record<string, string | undefined>>,
  local: readonly string[],
): Ip | undefined {
  const ip = parseIp(env.TCPREMOTEIP ?? env.IP ?? "");
  return ip && !clientsOf(local).contains(ip, 0) ? ip : undefined;
}
