import { cdbWriter } from "@qmail-mysql/cdb";
import { listEntries, morercpthostsKeys } from "@qmail-mysql/control";
import { hasControl } from "@qmail-mysql/control-files";
import type { Context, Made } from "./context.ts";
import { generatedText } from "./edge/generated.ts";
import { handLines, sourceOf } from "./edge/sources.ts";
import { rcptHost, virtualDomain } from "./hosts.ts";
import { warnings } from "./warnings.ts";

/** control/virtualdomains: the hosts of the table, then the edited lines. Of equal keys qmail-send uses the last. */
export async function virtualdomains(context: Context): Promise<Made> {
  const { home, config, tables, progress } = context;
  const path = `${home}/control/virtualdomains`;
  const source = sourceOf(path);
  const text = context.open(path);
  const out = generatedText(text);
  out.line(`# Edit virtualdomains.local instead: rebuild-cdb(8) makes this of it and of the database.`);
  const wrong = warnings("virtual", context.warn);
  let rows = 0;
  let last: string | undefined;
  await tables.eachVirtualHost((host) => {
    progress.row("control/virtualdomains");
    const made = virtualDomain(host, config.funkyQueries);
    if ("unusable" in made) return wrong.row(host, made.unusable);
    if (made.entry === last) return;
    last = made.entry;
    rows++;
    out.line(made.entry);
  });
  wrong.end();
  let hand = 0;
  for (const line of handLines(source)) {
    for (const _ of listEntries(line)) hand++;
    out.line(line);
  }
  out.finish(rows);
  return { text, cdb: undefined, source, rows, hand };
}

/** control/morercpthosts and its cdb: the edited lines, then the hosts of the table rcpthosts. */
export async function morercpthosts(context: Context): Promise<Made> {
  const { home, tables, progress } = context;
  const path = `${home}/control/morercpthosts`;
  const source = sourceOf(path);
  const text = context.open(path);
  const cdb = context.open(`${path}.cdb`);
  const out = generatedText(text);
  const writer = cdbWriter(cdb.write);
  out.line(`# Edit morercpthosts.local instead: rebuild-cdb(8) makes this of it and of the database.`);
  let hand = 0;
  for (const line of handLines(source)) {
    out.line(line);
    for (const key of morercpthostsKeys(line)) {
      hand++;
      writer.add(key, "");
    }
  }
  const wrong = warnings("rcpthosts", context.warn);
  let rows = 0;
  await tables.eachRcptHost((host) => {
    progress.row("control/morercpthosts");
    const made = rcptHost(host);
    if ("unusable" in made) return wrong.row(host, made.unusable);
    rows++;
    out.line(made.entry);
    writer.add(made.entry, "");
  });
  wrong.end();
  out.finish(rows);
  cdb.begin(writer.finish());
  if (!hasControl(home, "rcpthosts")) {
    context.warn("control/rcpthosts does not exist: without it qmail-smtpd relays for everybody");
  }
  return { text, cdb, source, rows, hand };
}
