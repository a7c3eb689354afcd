import type { Ip } from "@qmail-mysql/wire";
import type { Settings } from "./settings.ts";

const MAX_ADDRESS = 899; // bytes: addrparse in qmail-smtpd.c

/**
 * The address in the argument of MAIL or RCPT, as addrparse in qmail-smtpd.c finds it: between < and >, else after the
 * first colon; without source route, quotes and backslashes. Undefined if it is too long.
 */
export function parseAddress(arg: string, { localIpHost, isLocalIp }: Settings): string | undefined {
  const [text, terminator] = addressPart(arg);
  let address = "";
  let isEscaped = false;
  let isQuoted = false;
  for (const char of withoutRoute(text)) {
    if (isEscaped) {
      address += char;
      isEscaped = false;
    } else if (!isQuoted && char === terminator) break;
    else if (char === "\\") isEscaped = true;
    else if (char === '"') isQuoted = !isQuoted;
    else address += char;
  }
  const at = address.lastIndexOf("@");
  const ip = at < 0 ? undefined : literal(address.slice(at + 1));
  if (ip && localIpHost !== undefined && isLocalIp(ip)) address = address.slice(0, at + 1) + localIpHost;
  return address.length > MAX_ADDRESS ? undefined : address;
}

/** Has the argument neither < nor a colon, so that no address was given? */
export const isBare = (arg: string): boolean => !/[<:]/.test(arg);

function addressPart(arg: string): [text: string, terminator: string] {
  const bracket = arg.indexOf("<");
  if (bracket >= 0) return [arg.slice(bracket + 1), ">"];
  const colon = arg.indexOf(":");
  return [colon < 0 ? "" : arg.slice(colon + 1).replace(/^ +/, ""), " "];
}

/** Removes @a,@b: from the beginning. */
function withoutRoute(text: string): string {
  if (!text.startsWith("@")) return text;
  const colon = text.indexOf(":");
  return colon < 0 ? "" : text.slice(colon + 1);
}

/** The address of [1.2.3.4]. As in ip.c of qmail, a number is used modulo 256. */
function literal(host: string): Ip | undefined {
  const [, ...numbers] = /^\[([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)\]$/.exec(host) ?? [];
  return numbers.length === 0 ? undefined : numbers.map((number) => Number(BigInt(number) & 0xffn));
}
