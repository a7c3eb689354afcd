import { dirname } from "node:path";
import { cdbWriter } from "@qmail-mysql/cdb";
import { say } from "@qmail-mysql/process";
import { compileRules, RuleError } from "@qmail-mysql/tcprules";
import { Die, HARD } from "@qmail-mysql/trouble";
import { coalesce } from "./edge/coalesce.ts";
import { readRules } from "./edge/read-rules.ts";
import { openReplacement, syncDirectory } from "./edge/replacement.ts";
import { type OpenClients, relayLine } from "./relay-lines.ts";

export interface RelayTask {
  /** The edited rules. */
  readonly file: string;
  readonly rblsmtpd: boolean;
  readonly openClients: () => Promise<OpenClients>;
}

export interface RelaySummary {
  readonly file: string;
  readonly rows: number;
  /** Another process is going to do it. */
  readonly busy: boolean;
  readonly changed: boolean;
  /** Seconds until the first client expires. */
  readonly lapse: number;
}

/**
 * Builds FILE.cdb from FILE and the clients that may relay, as tcprules does from FILE followed by a line for each
 * client; the edited lines come first and have precedence. It is built at most once a second. Throws Trouble, or Die
 * for a line that tcprules refuses, with its code.
 */
export async function rebuildRelay({ file, rblsmtpd, openClients }: RelayTask): Promise<RelaySummary> {
  const path = `${file}.cdb`;
  const lock = await coalesce(path);
  if (!lock) return { file: path, rows: 0, busy: true, changed: false, lapse: 0 };
  try {
    const { clients, lapse } = await openClients();
    const lines = clients.map((client) => relayLine(client, rblsmtpd));
    const usable = lines.filter((line) => line !== undefined);
    const cdb = openReplacement(path);
    try {
      const writer = cdbWriter(cdb.write);
      compileRules(`${readRules(file)}\n${usable.join("\n")}`, writer);
      cdb.begin(writer.finish());
      const changed = cdb.differs();
      if (changed) {
        cdb.settle();
        cdb.commit();
        syncDirectory(dirname(path));
      }
      const skipped = clients.length - usable.length;
      if (skipped > 0) say(`rebuild-cdb: warning: ${skipped} relay rows have no form in ${path}`);
      return { file: path, rows: usable.length, busy: false, changed, lapse };
    } catch (error) {
      if (error instanceof RuleError)
        throw new Die(HARD, `unable to parse this line of ${file}: ${error.message}`);
      throw error;
    } finally {
      cdb.abandon();
    }
  } finally {
    lock.release();
  }
}
