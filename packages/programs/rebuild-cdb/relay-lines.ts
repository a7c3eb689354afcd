import { parseClient, type RelayRows, secondsLeft } from "@qmail-mysql/relay";

/** The clients that may relay now, as written in the table, and the seconds until the first of them expires. */
export interface OpenClients {
  readonly clients: readonly string[];
  readonly lapse: number;
}

/** The rows that have not expired, with a validity of `window` seconds. */
export function openClients({ rows, now }: RelayRows, window: number): OpenClients {
  const open = rows
    .map((row) => ({ client: row.client, left: secondsLeft(row, now, window) }))
    .filter(({ left }) => left > 0);
  return {
    clients: open.map(({ client }) => client),
    lapse: open.reduce((least, { left }) => Math.min(least, left), Infinity),
  };
}

/**
 * The line of tcprules for a client: 10.1.2.3, 10.1.2. for a prefix or a /24, 10.1.2.64-127 for a /26. Undefined for
 * IPv6 addresses, whose colons would end the address in a rule, for 0.0.0.0/0, and for anything invalid.
 */
export function relayLine(client: string, rblsmtpd: boolean): string | undefined {
  const block = parseClient(client);
  if (block?.ip.length !== 4 || block.bits === 0) return undefined;
  return `${ruleAddress(block.ip, block.bits)}:allow,RELAYCLIENT=""${rblsmtpd ? ',RBLSMTPD=""' : ""}`;
}

function ruleAddress(ip: readonly number[], bits: number): string {
  if (bits === 32) return ip.join(".");
  const whole = ip.slice(0, Math.floor(bits / 8)).map((octet) => `${octet}.`);
  if (bits % 8 === 0) return whole.join("");
  const size = 2 ** (8 - (bits % 8));
  const octet = ip[whole.length] ?? 0;
  const low = octet - (octet % size);
  return `${whole.join("")}${low}-${low + size - 1}${bits < 24 ? "." : ""}`;
}
