import { parseClient, type RelayRows, secondsLeft } from "@qmail-mysql/relay";

/** Who may relay now, as the table spells them, and in how many seconds the first of them no longer may. */
export interface OpenClients {
  readonly clients: readonly string[];
  readonly lapse: number;
}

/** The rows that are still open `window` seconds after their login. */
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
 * The line of tcprules for a client: 10.1.2.3, 10.1.2. for a prefix or a /24, 10.1.2.64-127 for a /26.
 * Undefined for what tcprules cannot say (IPv6 addresses, whose colons would end the address), for the whole
 * world, and for what is no address.
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
