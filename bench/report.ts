// report.ts RESULTS DIR: RESULTS.md and its plots in DIR, from what the parts found; the bars on descriptor 1.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machine } from "./machine.ts";
import { barChart } from "./report/chart.ts";
import { connections } from "./report/connections.ts";
import { deliveries } from "./report/deliveries.ts";
import { disturbed } from "./report/disturbed.ts";
import { logins } from "./report/logins.ts";
import { lookups } from "./report/lookups.ts";
import { mailboxes } from "./report/mailboxes.ts";
import { processes } from "./report/processes.ts";
import { rebuild } from "./report/rebuild.ts";
import { type Bar, markdown, type Section } from "./report/section.ts";
import { say } from "./results.ts";

/** The first line of a part's results, from run.sh. */
interface Meta {
  readonly when: string;
  readonly seconds: number;
  readonly load: readonly [number, number];
  readonly ended: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: a part's lines are its own section's business
const PARTS: Readonly<Record<string, (lines: any[]) => Section>> = {
  deliveries,
  mailboxes,
  logins,
  lookups,
  disturbed,
  connections,
  processes,
  rebuild,
};

/** Which say of each case whether it failed; half of what another part found is nothing. */
const PIECEMEAL = ["deliveries", "mailboxes"];

const [results = "", out = ""] = process.argv.slice(2);
for (const file of readdirSync(out)) if (file.endsWith(".svg")) rmSync(join(out, file));
const bars: Bar[] = [];
const sections = Object.keys(PARTS).map(sectionOf);
const verdict = ({ met }: Bar) => (met === undefined ? "not measured" : met ? "met" : "**missed**");
const table = [
  ["what", "bar", "measured", ""],
  ...bars.map((bar) => [bar.what, bar.bar, bar.measured, verdict(bar)]),
];
for (const bar of bars)
  say(`${verdict(bar).replaceAll("*", "").padEnd(12)} ${bar.what}: ${bar.measured} (${bar.bar})`);
writeFileSync(
  join(out, "RESULTS.md"),
  `# Results of \`make bench\`

${machine()}

Ratios are between programs that ran in the same minutes on this machine; figures of two machines, or of two days, do not
compare. A load average above 1 when a part begins means that something else ran.

## Bars

${markdown(table)}

${sections.join("\n\n")}
`,
);

/** The section of a part, and its plots beside it. */
function sectionOf(part: string): string {
  const file = join(results, `${part}.jsonl`);
  if (!existsSync(file)) return `## ${part}\n\nNot measured: \`make bench BENCH=${part}\` does.`;
  const [meta, ...lines] = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line)) as [Meta, ...unknown[]];
  if (lines.length === 0 || !(meta.ended || PIECEMEAL.includes(part))) return `## ${part}\n\nIt failed.`;
  const { title, how, table, charts, note, ...section } = (PARTS[part] as (lines: unknown[]) => Section)(
    lines,
  );
  bars.push(...section.bars);
  const plots = Object.entries(charts).map(([name, chart]) => {
    writeFileSync(join(out, `${name}.svg`), barChart(chart));
    return `![${chart.title}](${name}.svg)`;
  });
  const when = `${meta.when} UTC, ${meta.seconds} s; load average ${meta.load[0]} before, ${meta.load[1]} after.`;
  const failed = meta.ended ? [] : ["**Some of it failed.**"];
  return [
    `## ${title}`,
    ...failed,
    ...plots,
    markdown(table),
    ...(note ? [note] : []),
    `${how} ${when}`,
  ].join("\n\n");
}
