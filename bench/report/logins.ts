import type { Chart } from "./chart.ts";
import { atLeast, distinct, type Lines, type Load, loadCells, type Section } from "./section.ts";

/** A line of logins.ts; the optional fields are those of a daemon. */
interface Logins extends Load {
  readonly cached?: boolean;
  /** Each login has a connection of its own. */
  readonly each?: boolean;
  readonly queries?: number;
}

const AT = 50; // where the bar is

export function logins(lines: Lines<Logins>): Section {
  const daemons = lines.filter(({ how }) => how === "socket");
  const execs = lines.filter(({ how }) => how === "exec");
  const exec = (word: string) => execs.find(({ what, at }) => at === AT && what.includes(word))?.rate;
  return {
    title: "Logins",
    how: "`logins.ts`: plain passwords of random ones of 1,000 mailboxes in one MariaDB table. Verdicts of resident daemons over their sockets: qmail-sqld (`login_ttl 0` or as it comes), Dovecot's auth and Courier's authdaemond as Debian has them, Dovecot with a cache of 16 MB or none. authdaemond has a connection for each login by its protocol, and no cache. And checkpassword exec'd for each login, up to the program it runs, beside the C program. Each daemon was seen to refuse a wrong password.",
    table: [
      ["logins", "at a time", "logins/s", "median ms", "p99 ms", "statements a login"],
      ...lines.map((line) => [
        line.how === "exec" ? `checkpassword: ${line.what}` : daemon(line),
        ...loadCells(line),
        line.queries?.toFixed(2) ?? "",
      ]),
    ],
    bars: [
      atLeast(
        `logins/s, ${AT} at a time: checkpassword through qmail-sqld / C program`,
        exec("qmail-sqld"),
        exec("C,"),
        1 / 3,
      ),
    ],
    charts: {
      "logins-daemons": chart(daemons, ({ what, each }) => `${what}${each ? ", a connection each" : ""}`, {
        title: "Verdicts of resident daemons",
        axis: "logins per second, plain passwords",
      }),
      "logins-exec": chart(execs, ({ what }) => what, {
        title: "checkpassword exec'd for each login",
        axis: "logins per second, plain passwords",
      }),
    },
  };
}

function daemon({ what, cached, each }: Logins): string {
  return `${what}, ${cached ? "cached" : "each asked of MariaDB"}${each ? ", a connection each" : ""}`;
}

function chart(
  lines: Lines<Logins>,
  nameOf: (line: Logins) => string,
  words: Pick<Chart, "title" | "axis">,
): Chart {
  const names = distinct(lines.map(nameOf));
  const labelOf = ({ at, cached, how }: Logins) =>
    `${how === "exec" ? "" : cached ? "cached, " : "asked, "}${at} at a time`;
  return {
    ...words,
    series: names.map((name) => ({ name, ours: /^(ours|qmail)/.test(name) })),
    groups: distinct(lines.toSorted((a, b) => Number(a.cached) - Number(b.cached)).map(labelOf)).map(
      (label) => ({
        label,
        values: names.map(
          (name) => lines.find((line) => labelOf(line) === label && nameOf(line) === name)?.rate,
        ),
      }),
    ),
  };
}
