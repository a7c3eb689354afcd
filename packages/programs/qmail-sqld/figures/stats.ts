import { Trouble } from "@qmail-mysql/trouble";

/** A metric: one value, or one per set of labels. */
export interface Figure {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

// Upper bounds in seconds.
export const BUCKETS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, Number.POSITIVE_INFINITY];

const HISTOGRAM = "question_seconds";

/** A histogram of the time per question, by the question's name. */
export interface Latencies {
  note(question: string, ms: number): void;
  figures(): Figure[];
}

export function openLatencies(): Latencies {
  const byQuestion = new Map<string, { count: number; sum: number; buckets: number[] }>();
  return {
    note(question, ms) {
      let one = byQuestion.get(question);
      if (!one) {
        one = { count: 0, sum: 0, buckets: BUCKETS.map(() => 0) };
        byQuestion.set(question, one);
      }
      one.count++;
      one.sum += ms / 1000;
      const at = BUCKETS.findIndex((bound) => ms / 1000 <= bound);
      one.buckets[at] = (one.buckets[at] ?? 0) + 1;
    },
    figures() {
      const all = [...byQuestion];
      const bucketValues = all.flatMap(([question, { buckets }]) => {
        let total = 0;
        return BUCKETS.map((bound, i) => {
          total += buckets[i] ?? 0;
          return {
            labels: { question, le: bound === Number.POSITIVE_INFINITY ? "+Inf" : `${bound}` },
            value: total,
          };
        });
      });
      const each = (value: (one: { count: number; sum: number }) => number) =>
        all.map(([question, one]) => ({ labels: { question }, value: value(one) }));
      const kind = "histogram";
      return [
        {
          name: `${HISTOGRAM}_bucket`,
          help: "questions by the time of their response",
          kind,
          values: bucketValues,
        },
        {
          name: `${HISTOGRAM}_sum`,
          help: "total seconds of all responses",
          kind,
          values: each((one) => one.sum),
        },
        {
          name: `${HISTOGRAM}_count`,
          help: "questions with a response",
          kind,
          values: each((one) => one.count),
        },
      ];
    },
  };
}

const round = (value: number) => Number(value.toPrecision(12));
const labelled = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels).map(([key, value]) => `${key}="${value.replace(/[\\"\n]/g, "\\$&")}"`);

/** Prometheus' text exposition format. */
export function prometheus(figures: readonly Figure[]): string {
  return figures
    .map(({ name, help, kind, values }) => {
      const full = `qmail_sqld_${name}`;
      const lines = values.map(({ labels, value }) => {
        const list = labelled(labels);
        return `${full}${list.length > 0 ? `{${list.join(",")}}` : ""} ${round(value)}\n`;
      });
      // The three metrics of a histogram share one HELP and TYPE, under their common name.
      const of = kind === "histogram" ? full.replace(/_bucket$/, "") : full;
      const head = kind === "histogram" && of === full ? "" : `# HELP ${of} ${help}\n# TYPE ${of} ${kind}\n`;
      return `${head}${lines.join("")}`;
    })
    .join("");
}

export function json(figures: readonly Figure[]): string {
  const plain = figures.map(({ name, values }) => [
    name,
    values.length === 1 && Object.keys(values[0]?.labels ?? {}).length === 0
      ? round(values[0]?.value ?? 0)
      : values.map(({ labels, value }) => ({ ...labels, value: round(value) })),
  ]);
  return `${JSON.stringify(Object.fromEntries(plain), null, 2)}\n`;
}

/** One line per value, without the buckets of histograms. */
export function plain(figures: readonly Figure[]): string {
  return figures
    .filter(({ name }) => !name.endsWith("_bucket"))
    .flatMap(({ name, values }) =>
      values.map(
        ({ labels, value }) => [[name, ...Object.values(labels)].join(" "), `${round(value)}`] as const,
      ),
    )
    .map(([name, value]) => `${name.padEnd(44)} ${value}\n`)
    .join("");
}

/** The fields of the answer to `stats`: one per metric, in JSON. */
export const toFields = (figures: readonly Figure[]): string[] =>
  figures.map((figure) => JSON.stringify(figure));

/** The inverse. Throws Trouble. */
export function fromFields(fields: readonly string[]): Figure[] {
  return fields.map((field) => {
    const figure = parsed(field);
    if (isFigure(figure)) return figure;
    throw new Trouble("unable to use qmail-sqld's statistics: a field is not a metric in JSON");
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isFigure(value: unknown): value is Figure {
  const { name, values } = (value ?? {}) as Partial<Figure>;
  return typeof name === "string" && Array.isArray(values) && values.every((one) => typeof one === "object");
}
