/** One kind of bar: its text in the legend, and whether it is ours or a peer's. */
export interface Series {
  readonly name: string;
  readonly ours: boolean;
}

/** A group of bars: one per series, undefined if it was not measured. */
export interface Group {
  readonly label: string;
  readonly values: readonly (number | undefined)[];
}

export interface Chart {
  readonly title: string;
  /** The label of the axis, with its unit. */
  readonly axis: string;
  readonly series: readonly Series[];
  readonly groups: readonly Group[];
  readonly format?: (value: number) => string;
}

const WIDTH = 860;
const RIGHT = 70;
const [BAR, GAP, BETWEEN] = [13, 2, 14];
const CHARACTER = 6.7; // about, of 12 px

// The colours of the bars are the same in the light and the dark scheme; ours are blue.
const OURS = ["#1c5fb8", "#4a90e2", "#8fbdf0", "#0b7a75"];
const PEERS = ["#8a8f98", "#c98a2b", "#b0563f", "#6d7f52"];
const STYLE = `text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.small{font-size:11px;fill:#59636e}
.back{fill:#fff}.grid{stroke:#d1d9e0}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9198a1}.back{fill:#0d1117}.grid{stroke:#30363d}}`;

/** Horizontal bars in groups, as an SVG for light and dark backgrounds. */
export function barChart({ title, axis, series, groups, format = grouped }: Chart): string {
  const all = groups.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const left = 26 + Math.max(...groups.map(({ label }) => label.length)) * CHARACTER;
  const step = niceStep(Math.max(...all, Number.MIN_VALUE));
  const most = Math.ceil(Math.max(...all) / step) * step || step;
  const x = (value: number) => left + ((WIDTH - left - RIGHT) * value) / most;
  const colours = colouring(series);
  const legend = legendRows(series, colours);
  const top = 44 + legend.rows * 18;
  const heights = groups.map(
    ({ values }) => values.filter((v) => v !== undefined).length * (BAR + GAP) + BETWEEN,
  );
  const bottom = top + heights.reduce((sum, height) => sum + height, 0);
  const parts: string[] = [];
  for (let at = 0; at <= most + step / 2; at += step) {
    parts.push(`<path class="grid" d="M${px(x(at))} ${top - 4}V${bottom}"/>`);
    parts.push(text(x(at), bottom + 15, format(at), "middle", "small"));
  }
  let y = top + BETWEEN / 2;
  groups.forEach(({ label, values }, i) => {
    const height = heights[i] ?? 0;
    parts.push(text(left - 10, y + (height - BETWEEN) / 2 + 3, label, "end"));
    let at = y;
    values.forEach((value, s) => {
      if (value === undefined) return;
      const width = Math.max(1, x(value) - left);
      const name = escaped(`${series[s]?.name}, ${label}: ${format(value)}`);
      parts.push(
        `<rect x="${left}" y="${at}" width="${px(width)}" height="${BAR}" fill="${colours[s]}"><title>${name}</title></rect>`,
      );
      parts.push(text(left + width + 5, at + BAR - 3, format(value), "start", "small"));
      at += BAR + GAP;
    });
    y += height;
  });
  parts.push(text((left + WIDTH - RIGHT) / 2, bottom + 34, axis, "middle", "small"));
  const height = bottom + 44;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>${STYLE}</style>
<rect class="back" width="${WIDTH}" height="${height}" rx="6"/>
${text(16, 26, title, "start", "title")}
${legend.svg}
${parts.join("\n")}
</svg>
`;
}

function colouring(series: readonly Series[]): string[] {
  const left = { ours: [...OURS], peers: [...PEERS] };
  return series.map(({ ours }) => (ours ? left.ours : left.peers).shift() ?? "#777");
}

function legendRows(series: readonly Series[], colours: readonly string[]): { svg: string; rows: number } {
  let [at, row] = [16, 0];
  const svg = series.map(({ name }, i) => {
    const width = 34 + name.length * CHARACTER;
    if (at + width > WIDTH && at > 16) [at, row] = [16, row + 1];
    const y = 40 + row * 18;
    const one = `<rect x="${px(at)}" y="${y}" width="11" height="11" fill="${colours[i]}"/>${text(at + 16, y + 10, name, "start")}`;
    at += width;
    return one;
  });
  return { svg: svg.join("\n"), rows: row + 1 };
}

function text(x: number, y: number, content: string, anchor: string, kind = ""): string {
  const of = kind ? ` class="${kind}"` : "";
  return `<text${of} x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

/** The greatest step of 1, 2 or 5 times a power of ten that divides the axis into at least four. */
function niceStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  return ([5, 2, 1].find((times) => power * times <= most / 4) ?? 1) * power;
}

export const grouped = (value: number): string => {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+$)/g, ",");
};
const px = (value: number) => Number(value.toFixed(1));
const escaped = (content: string) =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
