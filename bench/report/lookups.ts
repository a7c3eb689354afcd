import { distinct, type Lines, type Load, loadCells, type Section } from "./section.ts";

export function lookups(lines: Lines<Load>): Section {
  const execs = lines.filter(({ how }) => how === "exec");
  const names = distinct(execs.map(({ what }) => what));
  return {
    title: "Lookups",
    how: "`lookups.ts`: random ones of 1,000 mailboxes. qmail-getpw exec'd for each, beside the C program with a connection of its own; and the same question to qmail-sqld over its socket, as the resident qmail-lspawn asks it. Recipients: the verdict of qmail-sqld about user@host, in one question, which asks the database for the virtual host, the mailbox and the alias rows.",
    table: [
      ["lookups", "at a time", "lookups/s", "median ms", "p99 ms"],
      ...lines.map((line) => [
        line.how === "exec" ? `qmail-getpw: ${line.what}` : line.what,
        ...loadCells(line),
      ]),
    ],
    bars: [],
    charts: {
      lookups: {
        title: "qmail-getpw exec'd for each lookup",
        axis: "lookups per second",
        series: names.map((name) => ({ name, ours: name.startsWith("ours") })),
        groups: distinct(execs.map(({ at }) => at)).map((at) => ({
          label: `${at} at a time`,
          values: names.map((name) => execs.find((line) => line.at === at && line.what === name)?.rate),
        })),
      },
    },
  };
}
