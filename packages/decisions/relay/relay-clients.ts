import { type Netblock, parseClient } from "./netblock.ts";
import { type Netblocks, netblocks } from "./netblocks.ts";

export interface RelayClients {
  readonly clients: Netblocks;
  readonly warnings: readonly string[];
}

/**
 * Parses qpsmtpd's relayclients file: on each line an address, a prefix ending in a dot or colon, or net/bits; `#`
 * begins a comment. A line of another form is ignored, with a warning.
 */
export function relayClients(text: string, file: string): RelayClients {
  const blocks: (Netblock & { until: number })[] = [];
  const warnings: string[] = [];
  text.split("\n").forEach((raw, index) => {
    const line = raw.replace(/#.*$/, "").trim();
    if (line === "") return;
    const block = parseClient(line);
    if (block) blocks.push({ ...block, until: Infinity });
    else warnings.push(`${file} line ${index + 1}: expected an address, a prefix or net/bits`);
  });
  return { clients: netblocks(blocks), warnings };
}

/** The same from a list, as in the key `local` of control/sql. */
export function clientsOf(words: readonly string[]): Netblocks {
  return relayClients(words.join("\n"), "").clients;
}
