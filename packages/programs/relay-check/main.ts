import { qmailHome } from "@qmail-mysql/control-files";
import { exec, say, writeAll } from "@qmail-mysql/process";
import { mayRelay, type RelayAnswers, type RelayClients, relayWords } from "@qmail-mysql/relay";
import { openRelayAnswers, readSql } from "@qmail-mysql/relay-store";
import { HARD, reason, SOFT, Usage } from "@qmail-mysql/trouble";
import { parseIp } from "@qmail-mysql/wire";
import { readRelayClients } from "./edge/relay-clients.ts";

const NAME = "relay-check";

type Answer = "yes" | "no" | "trouble";

/** relay-check [-v] program: sets RELAYCLIENT if the client may relay, and executes the program; relay-check(8). */
export async function main(args: readonly string[]): Promise<number> {
  const verbose = args[0] === "-v";
  const program = verbose ? args.slice(1) : args;
  if (program.length === 0 || program[0]?.startsWith("-")) {
    throw new Usage(HARD, `${NAME} [ -v ] program [ arg ... ]`);
  }
  const { answer, trouble } = await ask(qmailHome());
  if (verbose && answer !== "trouble") {
    say(`${NAME}: ${relayWords(process.env.TCPREMOTEIP ?? "unknown", answer === "yes")}`);
  }
  if (answer === "trouble" && trouble === "defer") {
    writeAll(1, "451 relay table not available, try again later (#4.3.0)\r\n");
    return SOFT;
  }
  return exec(program, answer === "yes" ? { RELAYCLIENT: process.env.RELAYCLIENT ?? "" } : {});
}

/** Whether the client may relay, and the setting for what to do in trouble. */
async function ask(home: string): Promise<{ answer: Answer; trouble: "serve" | "defer" }> {
  const { TCPREMOTEIP, RELAYCLIENT } = process.env;
  let trouble: "serve" | "defer" = "serve";
  try {
    const config = readSql(home, NAME);
    trouble = config.trouble;
    const table = whenAsked(() => openRelayAnswers(config, home, "read"));
    try {
      const asker = { ip: parseIp(TCPREMOTEIP ?? ""), given: RELAYCLIENT !== undefined };
      const may = await mayRelay(asker, listed(home), table);
      return { answer: may ? "yes" : "no", trouble };
    } finally {
      await table.close();
    }
  } catch (error) {
    say(`${NAME}: warning: ${trouble === "serve" ? "no relaying" : "deferring"}: ${reason(error)}`);
    return { answer: RELAYCLIENT === undefined ? "trouble" : "yes", trouble };
  }
}

type Table = RelayAnswers & { close(): Promise<void> };

/** A table that is opened at its first use, since for most clients it is not needed. */
function whenAsked(open: () => Promise<Table>): Table {
  let opened: Promise<Table> | undefined;
  const table = () => {
    opened ??= open();
    return opened;
  };
  return {
    left: async (ip) => (await table()).left(ip),
    blocks: async () => (await table()).blocks(),
    close: async () => {
      const one = await opened?.catch(() => undefined);
      await one?.close();
    },
  };
}

/** Reads control/relayclients and reports its warnings. */
function listed(home: string): RelayClients {
  const clients = readRelayClients(home);
  for (const warning of clients.warnings) say(`${NAME}: warning: ${warning}`);
  return clients;
}
