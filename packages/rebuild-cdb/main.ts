import { openTables, readSqlServer } from "@qmail-mysql/store";
import { OK, qmailHome, say, writeAll } from "@qmail-mysql/unix";
import { HELP, type Options, parseOptions } from "./options.ts";
import { rebuild, type Summary } from "./rebuild.ts";
import { watch } from "./watch.ts";

/** rebuild-cdb: the tables a stock qmail reads, made of the database. rebuild-cdb(8). */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) writeAll(1, HELP);
  else await routing(options);
  return OK;
}

const SOURCES = ["control/virtualdomains.local", "control/morercpthosts.local", "users/assign.local"];
const TABLES = ["mailbox", "rcpthosts", "virtual"];

async function routing(options: Options): Promise<void> {
  const home = qmailHome();
  const open = async () => {
    const config = readSqlServer(home, "rebuild-cdb");
    const tables = await openTables(config, home);
    return {
      version: () => tables.version(TABLES),
      run: async () => report(await rebuild(home, config, tables, options), options),
      close: tables.close,
    };
  };
  if (options.watch) {
    const files = [...SOURCES, "control/locals"].map((file) => `${home}/${file}`);
    return watch("rebuild-cdb", { open }, files);
  }
  const source = await open();
  try {
    await source.run();
  } finally {
    await source.close();
  }
}

function report(summary: Summary, { json, verbose, watch }: Options): void {
  const changed = summary.tables.filter((table) => table.changed);
  if (json && (!watch || changed.length > 0)) writeAll(1, `${JSON.stringify(summary)}\n`);
  if (!verbose && !watch) return;
  for (const { file, rows, hand } of changed) {
    say(`rebuild-cdb: ${file}: ${rows} rows, ${hand} lines kept by hand`);
  }
  if (summary.hup.length > 0) say(`rebuild-cdb: qmail-send was told: ${summary.hup.join(" ")}`);
}
