/** A client of the relay table that may relay now, as it stands there: an address or a netblock. */
export type Client = string;

const OCTET = "(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])";
const ADDRESS = new RegExp(`^(?:::ffff:)?(${OCTET}(?:\\.${OCTET}){3})(?:/(\\d{1,2}))?$`, "i");
const PREFIX = new RegExp(`^(${OCTET}(?:\\.${OCTET}){0,2})\\.?$`);

/**
 * The line of tcprules for a client: 10.1.2.3, 10.1.2. for a prefix or a /24, 10.1.2.64-127 for a /26.
 * Undefined for what tcprules cannot say (IPv6 addresses, whose colons end the address) and for what is none.
 */
export function relayLine(client: Client, rblsmtpd: boolean): string | undefined {
  const address = ruleAddress(client);
  if (address === undefined) return undefined;
  return `${address}:allow,RELAYCLIENT=""${rblsmtpd ? ',RBLSMTPD=""' : ""}`;
}

function ruleAddress(client: Client): string | undefined {
  const prefix = PREFIX.exec(client);
  if (prefix) return `${prefix[1]}.`;
  const match = ADDRESS.exec(client);
  if (!match) return undefined;
  const [, address = "", mask = "32"] = match;
  const bits = Number(mask);
  // A mask of 0 would open the relay to the world.
  if (bits < 1 || bits > 32) return undefined;
  const octets = address.split(".");
  const whole = octets.slice(0, Math.floor(bits / 8)).join(".");
  if (bits % 8 === 0) return bits === 32 ? whole : `${whole}.`;
  const size = 2 ** (8 - (bits % 8));
  const low = Math.floor(Number(octets[Math.floor(bits / 8)]) / size) * size;
  const range = `${low}-${low + size - 1}${bits < 24 ? "." : ""}`;
  return whole === "" ? range : `${whole}.${range}`;
}
