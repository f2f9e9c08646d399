/** A quantity of each slot, drawn over or upon the others. */
export interface Series {
  name: string;
  /** Class of its colour in the stylesheet. */
  kind: string;
  /** null draws nothing: there was nothing to measure. */
  values: (number | null)[];
}

export interface ChartProps {
  series: Series[];
  /** What the whole says, for those who cannot see it. */
  label: string;
  /** Shown while pointing at a slot. */
  titles: string[];
  /** What stands at the top of the drawing; the largest value unless given. */
  peak: number;
}

const WIDTH = 600;
const HEIGHT = 100;

/** Bars of each slot, one series upon the other. */
export function StackedBars(props: ChartProps) {
  const step = WIDTH / Math.max(1, props.titles.length);
  const y = scale(props.peak);
  const bars = props.titles.map((_, i) => {
    let below = 0;
    return props.series
      .map(({ kind, values }) => {
        const value = values[i] ?? 0;
        if (value <= 0) return "";
        const top = y(below + value);
        const height = y(below) - top;
        below += value;
        return `<rect class="${kind}" x="${(i * step).toFixed(1)}" y="${top.toFixed(1)}" width="${(step * 0.86).toFixed(1)}" height="${height.toFixed(1)}"/>`;
      })
      .join("");
  });
  return drawing(props, bars.join(""));
}

/** A line for each series, broken where nothing was measured. */
export function Lines(props: ChartProps) {
  const step = WIDTH / Math.max(1, props.titles.length);
  const y = scale(props.peak);
  const lines = props.series.map(({ kind, values }) =>
    runsOf(values)
      .map(({ from, run }) => {
        // A single value is a short dash rather than nothing.
        const points = run.map(
          (value, i) => `${((from + i + 0.5) * step).toFixed(1)},${y(value).toFixed(1)}`,
        );
        const only = `${(from * step).toFixed(1)},${y(run[0] ?? 0).toFixed(1)} ${((from + 1) * step).toFixed(1)},${y(run[0] ?? 0).toFixed(1)}`;
        return `<polyline class="${kind}" points="${run.length === 1 ? only : points.join(" ")}"/>`;
      })
      .join(""),
  );
  return drawing(props, lines.join(""));
}

/** What the colours mean. */
export function Legend({ series }: { series: Pick<Series, "name" | "kind">[] }) {
  return (
    <ul class="legend">
      {series.map(({ name, kind }) => (
        <li>
          <svg viewBox="0 0 10 10" aria-hidden="true">
            <rect class={kind} width="10" height="10" rx="2" />
          </svg>
          <span safe>{name}</span>
        </li>
      ))}
    </ul>
  );
}

function drawing({ label, titles }: ChartProps, inner: string): string {
  const step = WIDTH / Math.max(1, titles.length);
  const pointed = titles
    .map(
      (title, i) =>
        `<rect class="slot" x="${(i * step).toFixed(1)}" y="0" width="${step.toFixed(1)}" height="${HEIGHT}"><title>${Bun.escapeHTML(title)}</title></rect>`,
    )
    .join("");
  return (
    `<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${Bun.escapeHTML(label)}">` +
    `<path class="ground" d="M0 ${HEIGHT}H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 0H${WIDTH}"/>${inner}${pointed}</svg>`
  );
}

function scale(peak: number): (value: number) => number {
  const top = peak > 0 ? peak : 1;
  return (value) => HEIGHT - (Math.min(value, top) / top) * HEIGHT;
}

function runsOf(values: (number | null)[]): { from: number; run: number[] }[] {
  const runs: { from: number; run: number[] }[] = [];
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    const last = runs.at(-1);
    if (last && last.from + last.run.length === i) last.run.push(value);
    else runs.push({ from: i, run: [value] });
  }
  return runs;
}
