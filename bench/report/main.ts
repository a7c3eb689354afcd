// Writes RESULTS.md and its plots from the results of the parts in results/; prints the requirements on descriptor 1.
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "../lib/results.ts";
import { barChart } from "./chart.ts";
import { connections } from "./connections.ts";
import { deliveries } from "./deliveries.ts";
import { disturbed } from "./disturbed.ts";
import { type Kept, RESULTS, recall } from "./kept.ts";
import { logins } from "./logins.ts";
import { lookups } from "./lookups.ts";
import { mailboxes } from "./mailboxes.ts";
import { memory } from "./memory.ts";
import { pop3 } from "./pop3.ts";
import { processes } from "./processes.ts";
import { rebuild } from "./rebuild.ts";
import { type Bar, distinct, markdown, type Section } from "./section.ts";
import { smtpd } from "./smtpd.ts";

// biome-ignore lint/suspicious/noExplicitAny: the type of a part's lines is known to its section only
const PARTS: Readonly<Record<string, (lines: any[]) => Section>> = {
  deliveries,
  memory,
  mailboxes,
  logins,
  lookups,
  disturbed,
  connections,
  smtpd,
  pop3,
  processes,
  rebuild,
};

/** Parts that report a failure for each case; the results of another part are not used unless it succeeded. */
const PIECEMEAL = ["deliveries", "mailboxes"];

const found = Object.keys(PARTS).map((part) => ({ part, kept: recall(part) }));
const machines = distinct(found.flatMap(({ kept }) => kept?.machine ?? []));
const bars: Bar[] = [];
for (const file of readdirSync(RESULTS)) if (file.endsWith(".svg")) rmSync(join(RESULTS, file));
const sections = found.map(({ part, kept }) => sectionOf(part, kept));
const verdict = ({ met }: Bar) => (met === undefined ? "not measured" : met ? "met" : "**missed**");
const table = [
  ["what", "bar", "measured", ""],
  ...bars.map((bar) => [bar.what, bar.bar, bar.measured, verdict(bar)]),
];
for (const bar of bars)
  say(`${verdict(bar).replaceAll("*", "").padEnd(12)} ${bar.what}: ${bar.measured} (${bar.bar})`);
writeFileSync(
  join(RESULTS, "../RESULTS.md"),
  `# Results of \`make bench\`

${machines.map((machine, i) => `- Machine ${i + 1}: ${machine}`).join("\n")}

Each table says when, where and of which commit it was measured: \`make bench BENCH="a b"\` measures some parts again and
leaves the others as they are. Ratios are between programs that ran in the same minutes on the same machine; figures of
two machines, or of two days, do not compare. A load average above 1 when a part begins means that something else ran.

## Bars

${markdown(table)}

${sections.join("\n\n")}
`,
);

/** The section of a part; writes its plots. */
function sectionOf(part: string, kept: Kept | undefined): string {
  if (!kept) return `## ${part}\n\nNot measured: \`make bench BENCH=${part}\` does.`;
  const { lines, ended, when, seconds, load, commit, machine } = kept;
  const where = `Machine ${machines.indexOf(machine) + 1}, ${when} UTC, commit ${commit}; ${seconds} s, load average ${load[0]} before, ${load[1]} after.`;
  if (lines.length === 0 || !(ended || PIECEMEAL.includes(part))) {
    return `## ${part}\n\nIt failed. ${where}`;
  }
  const { title, how, table, charts, note, ...section } = (
    PARTS[part] as (lines: readonly unknown[]) => Section
  )(lines);
  bars.push(...section.bars);
  const plots = Object.entries(charts).map(([name, chart]) => {
    writeFileSync(join(RESULTS, `${name}.svg`), barChart(chart));
    return `![${chart.title}](results/${name}.svg)`;
  });
  const failed = ended ? [] : ["**Some of it failed.**"];
  return [
    `## ${title}`,
    ...failed,
    ...plots,
    markdown(table),
    ...(note ? [note] : []),
    `${how} ${where}`,
  ].join("\n\n");
}
