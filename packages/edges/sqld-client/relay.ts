import type { RelayAnswers } from "@qmail-mysql/relay";
import { Trouble } from "@qmail-mysql/trouble";
import { formatIp, type Ip } from "@qmail-mysql/wire";
import { sqldAt } from "./sqld.ts";

/** The response of qmail-sqld for a client that may relay without a time limit. */
export const FOR_EVER = "forever";

/** Who may relay, from qmail-sqld, whose response already includes the netblocks. */
export function sqldRelay(path: string, timeout: number): RelayAnswers & { close(): Promise<void> } {
  const sqld = sqldAt(path);
  return {
    async left(ip) {
      const answer = await sqld.ask("mayRelay", [formatIp(ip)], timeout);
      if (!answer) return 0;
      const [left = ""] = answer;
      if (left === FOR_EVER) return Infinity;
      if (!/^[1-9]\d{0,9}$/.test(left)) throw new Trouble("unable to use qmail-sqld's answer: no seconds");
      return Number(left);
    },
    blocks: async () => [],
    close: async () => sqld.close(),
  };
}

/** Lets qmail-sqld record a login of `user` from an address. Throws Trouble. */
export async function sqldRecord(path: string, ip: Ip, user: string, timeout: number): Promise<void> {
  const sqld = sqldAt(path);
  try {
    await sqld.ask("recordLogin", [formatIp(ip), user], timeout);
  } finally {
    sqld.close();
  }
}
