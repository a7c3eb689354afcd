import { readFileSync } from "node:fs";
import { type RelayClients, relayClients } from "@qmail-mysql/relay";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

/** control/relayclients; no clients when there is no such file. Throws Trouble. */
export function readRelayClients(home: string): RelayClients {
  const file = `${home}/control/relayclients`;
  try {
    return relayClients(readFileSync(file, "latin1"), file);
  } catch (error) {
    if (errno(error) === "ENOENT") return relayClients("", file);
    throw new Trouble(`unable to read ${file}: ${reason(error)}`);
  }
}
