import { qmailHome } from "@qmail-mysql/control-files";
import { say, writeAll } from "@qmail-mysql/process";
import { openRelayStore, readRelayDatabase } from "@qmail-mysql/relay-store";
import { openTables, readSqlServer } from "@qmail-mysql/store";
import { OK } from "@qmail-mysql/trouble";
import { HELP, type Options, parseOptions } from "./options.ts";
import { rebuild, type Summary } from "./rebuild.ts";
import { rebuildRelay } from "./relay.ts";
import { openClients } from "./relay-lines.ts";
import { type Work, watch } from "./watch.ts";

/** rebuild-cdb: writes the files that a stock qmail reads from the database. rebuild-cdb(8). */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) writeAll(1, HELP);
  else if (options.what.includes("relay")) await relay(options);
  else await routing(options);
  return OK;
}

const SOURCES = [
  "control/virtualdomains.local",
  "control/morercpthosts.local",
  "control/validrcptto.local",
  "users/assign.local",
];
const LEAST_TIMEOUT = 5; // seconds to read the relay table
const TABLES = ["mailbox", "rcpthosts", "virtual"];

const ANYWAY = 60_000; // milliseconds after which it rebuilds anyway: changes of views and homes are not detected

async function routing(options: Options): Promise<void> {
  const home = qmailHome();
  const open = async () => {
    const config = readSqlServer(home, "rebuild-cdb");
    const tables = await openTables(config, home);
    return {
      version: () => tables.version(TABLES),
      run: async () => {
        saySummary(await rebuild(home, config, tables, options), options);
        return ANYWAY;
      },
      close: tables.close,
    };
  };
  const files = [...SOURCES, "control/locals"].map((file) => `${home}/${file}`);
  await once(options, { open }, files);
}

async function relay(options: Options): Promise<void> {
  const home = qmailHome();
  const file = options.file ?? `${home}/control/tcp.smtp`;
  const open = async () => {
    // The timeout of control/sql is for SMTP clients; here no client waits.
    const config = readRelayDatabase(home, "rebuild-cdb", LEAST_TIMEOUT);
    const store = await openRelayStore(config, home, "resident");
    const window = options.window ?? config.time;
    return {
      version: store.version,
      run: async () => {
        const clients = async () => openClients(await store.list(), window);
        const { lapse, ...summary } = await rebuildRelay({
          file,
          rblsmtpd: options.rblsmtpd,
          openClients: clients,
        });
        if (options.json && (!options.watch || summary.changed)) writeAll(1, `${JSON.stringify(summary)}\n`);
        if (summary.changed && (options.verbose || options.watch)) {
          say(`rebuild-cdb: ${summary.file}: ${summary.rows} clients may relay`);
        }
        return Math.min(1000 * lapse, ANYWAY);
      },
      close: store.close,
    };
  };
  await once(options, { open }, [file]);
}

/** Rebuilds once, or with --watch until it is stopped. */
async function once({ watch: stays }: Options, work: Work, files: readonly string[]): Promise<void> {
  if (stays) return watch("rebuild-cdb", work, files);
  const source = await work.open();
  try {
    await source.run();
  } finally {
    await source.close();
  }
}

function saySummary(summary: Summary, { json, verbose, watch }: Options): void {
  const changed = summary.tables.filter((table) => table.changed);
  if (json && (!watch || changed.length > 0)) writeAll(1, `${JSON.stringify(summary)}\n`);
  if (!verbose && !watch) return;
  for (const { file, rows, hand } of changed) {
    say(`rebuild-cdb: ${file}: ${rows} rows, ${hand} lines kept by hand`);
  }
  if (summary.hup.length > 0) say(`rebuild-cdb: qmail-send was told: ${summary.hup.join(" ")}`);
}
