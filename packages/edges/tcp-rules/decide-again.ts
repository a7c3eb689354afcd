import { type DecideAgain, decideAgain } from "@qmail-mysql/connection";
import { mayRelay } from "@qmail-mysql/relay";
import { openRelayAnswers, readSql } from "@qmail-mysql/relay-store";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { parseIp } from "@qmail-mysql/wire";
import { rulesReader } from "./rules-file.ts";

export interface AgainSettings {
  readonly qmailHome: string;
  /** For warnings on descriptor 2. */
  readonly program: string;
  /** The rules of tcpserver-sql -x; undefined for none. */
  readonly rules: string | undefined;
  /** Consult the relay table of control/sql, as with tcpserver-sql -S. */
  readonly relay: boolean;
  readonly warn: (line: string) => void;
}

const NO_LIST = { clients: { size: 0, contains: () => false, until: () => 0 } };

/** Decides again for the client that a trusted host names. Without its table nobody may relay, as in tcpserver-sql. */
export function openDecideAgain({ qmailHome, program, rules, relay, warn }: AgainSettings): DecideAgain {
  const openRules = rulesReader();

  const findRule = (): ((key: string) => string | undefined) => {
    if (rules === undefined) return () => undefined;
    try {
      return openRules(rules);
    } catch (error) {
      throw new Trouble(`unable to read ${rules}: ${reason(error)}`);
    }
  };

  async function isInTable(text: string): Promise<boolean> {
    const ip = parseIp(text);
    if (!relay || !ip) return false;
    try {
      const table = await openRelayAnswers(readSql(qmailHome, program), qmailHome, "read");
      try {
        return await mayRelay({ ip, given: false }, NO_LIST, table);
      } finally {
        await table.close();
      }
    } catch (error) {
      warn(`serving without the relay table: ${reason(error)}`);
      return false;
    }
  }

  return async (environment, client) => {
    try {
      return await decideAgain(environment, client, { findRule: findRule(), mayRelay: isInTable });
    } catch (error) {
      return { trouble: reason(error) };
    }
  };
}
