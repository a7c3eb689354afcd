import { readFileSync } from "node:fs";
import { type RelayClients, relayClients } from "@qmail-mysql/relay";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

/** Reads control/relayclients; no clients if it does not exist. Throws Trouble. */
export function readRelayClients(home: string): RelayClients {
  const file = `${home}/control/relayclients`;
  try {
    return relayClients(readFileSync(file, "latin1"), file);
  } catch (error) {
    if (errno(error) === "ENOENT") return relayClients("", file);
    throw new Trouble(`unable to read ${file}: ${reason(error)}`);
  }
}
