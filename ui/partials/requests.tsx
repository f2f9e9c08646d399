import { type ChartProps, Legend, Lines, type Series, StackedBars } from "../components/chart.tsx";
import { pathTo } from "../components/escape.ts";
import { formatBytes, formatCount, formatDuration, formatRate } from "../components/format.ts";

export interface RequestSlotView {
  /** ISO 8601, the slot's begin. */
  timestamp: string;
  requests: number;
  errors: number;
  status: { "1xx": number; "2xx": number; "3xx": number; "4xx": number; "5xx": number };
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  bytes_in: number;
  bytes_out: number;
  in_flight: number;
}

export interface RequestsView {
  period: string;
  slots: RequestSlotView[];
  /** Of the whole period: they cannot be had from those of the slots. */
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
}

const PERIODS = ["1h", "24h", "7d", "90d"];
const WORDS: Record<string, string> = { "1h": "1 h", "24h": "24 h", "7d": "7 days", "90d": "90 days" };
const CLASSES = [
  { name: "2xx", kind: "ok" },
  { name: "3xx", kind: "moved" },
  { name: "1xx", kind: "upgraded" },
  { name: "4xx", kind: "refused" },
  { name: "5xx", kind: "failing" },
] as const;

/** What was asked of an app, how it was answered and how fast: figures, drawings, and a table of the same. */
export function Requests({ view, appRef: ref }: { view: RequestsView; appRef: string }) {
  const path = pathTo`/apps/${ref}/requests`;
  const total = sum(view.slots, (slot) => slot.requests);
  return (
    <section
      id="requests"
      class="requests"
      aria-labelledby="requests-title"
      hx-get={`${path}?period=${encodeURIComponent(view.period)}`}
      hx-trigger="every 10s"
      hx-swap="outerMorph"
    >
      <div class="sectionhead">
        <h2 id="requests-title" safe>{`Requests, ${WORDS[view.period] ?? view.period}`}</h2>
        <nav class="periods" aria-label="Period">
          {PERIODS.map((period) => (
            <a
              href={`${path}?period=${period}`}
              hx-get={`${path}?period=${period}`}
              hx-target="#requests"
              hx-swap="outerHTML"
              aria-current={period === view.period ? "true" : undefined}
              safe
            >
              {WORDS[period] ?? period}
            </a>
          ))}
        </nav>
      </div>
      {total === 0 ? (
        <p class="faint">Nobody has asked for it in this time.</p>
      ) : (
        <>
          <Figures view={view} total={total} />
          <div class="charts">
            <Rates slots={view.slots} />
            <Latencies slots={view.slots} />
          </div>
          <Table slots={view.slots} />
        </>
      )}
    </section>
  );
}

function Figures({ view, total }: { view: RequestsView; total: number }) {
  const { slots } = view;
  const errors = sum(slots, (slot) => slot.errors);
  const seconds = slots.length * slotSeconds(slots);
  const facts: [string, string, boolean?][] = [
    ["Requests", formatCount(total)],
    ["On average", formatRate(total / seconds)],
    ["Failed, 5xx", errors === 0 ? "none" : `${formatCount(errors)}, ${share(errors / total)}`, errors > 0],
    ["Half within", milliseconds(view.p50_ms)],
    ["95 % within", milliseconds(view.p95_ms)],
    ["99 % within", milliseconds(view.p99_ms)],
    ["Sent", formatBytes(sum(slots, (slot) => slot.bytes_out))],
    ["Received", formatBytes(sum(slots, (slot) => slot.bytes_in))],
    ["Open at once", formatCount(Math.max(...slots.map((slot) => slot.in_flight)))],
  ];
  return (
    <dl class="figures">
      {facts.map(([name, value, bad]) => (
        <div>
          <dt safe>{name}</dt>
          <dd class={bad ? "num bad" : "num"} safe>
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Rates({ slots }: { slots: RequestSlotView[] }) {
  const length = slotSeconds(slots);
  const series: Series[] = CLASSES.map(({ name, kind }) => ({
    name,
    kind,
    values: slots.map((slot) => slot.status[name] / length),
  }));
  // What was counted before classes were known is drawn without one.
  const rest = slots.map(
    (slot) => (slot.requests - Object.values(slot.status).reduce((a, b) => a + b, 0)) / length,
  );
  if (rest.some((value) => value > 0)) series.unshift({ name: "any", kind: "upgraded", values: rest });
  const peak = Math.max(...slots.map((slot) => slot.requests)) / length;
  const used = series.filter(({ values }) => values.some((value) => value !== null && value > 0));
  return (
    <Figure
      title="Requests"
      top={formatRate(peak)}
      slots={slots}
      series={used}
      drawing={StackedBars({
        series: used,
        peak,
        label: `Requests by class of status, at most ${formatRate(peak)}`,
        titles: slots.map((slot) => `${when(slot, length)}: ${statusWords(slot)}`),
      } satisfies ChartProps)}
    />
  );
}

function Latencies({ slots }: { slots: RequestSlotView[] }) {
  const length = slotSeconds(slots);
  const series: Series[] = [
    { name: "half", kind: "p50", values: slots.map((slot) => slot.p50_ms) },
    { name: "95 %", kind: "p95", values: slots.map((slot) => slot.p95_ms) },
    { name: "99 %", kind: "p99", values: slots.map((slot) => slot.p99_ms) },
  ];
  const peak = Math.max(1, ...slots.map((slot) => slot.p99_ms ?? 0));
  return (
    <Figure
      title="Answered within"
      top={milliseconds(peak)}
      slots={slots}
      series={series}
      drawing={Lines({
        series,
        peak,
        label: `Time to answer: of half, 95 % and 99 % of the requests, at most ${milliseconds(peak)}`,
        titles: slots.map((slot) => `${when(slot, length)}: ${latencyWords(slot)}`),
      } satisfies ChartProps)}
    />
  );
}

interface FigureProps {
  title: string;
  top: string;
  slots: RequestSlotView[];
  series: Series[];
  /** Made by a chart component: escaped already. */
  drawing: JSX.Element;
}

function Figure({ title, top, slots, series, drawing }: FigureProps) {
  const first = slots[0];
  const last = slots.at(-1);
  return (
    <figure>
      <figcaption>
        <span safe>{title}</span>
        <Legend series={series} />
      </figcaption>
      <div class="plot">
        <span class="top" safe>
          {top}
        </span>
        {drawing as "safe"}
      </div>
      <p class="ends">
        {first ? (
          <time datetime={first.timestamp} safe>
            {`${clock(first.timestamp)} UTC`}
          </time>
        ) : null}
        {last ? <span>now</span> : null}
      </p>
    </figure>
  );
}

function Table({ slots }: { slots: RequestSlotView[] }) {
  return (
    <div class="away">
      <table>
        <caption>Requests by time, in UTC</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">Requests</th>
            <th scope="col">Failed</th>
            <th scope="col">95 % within</th>
          </tr>
        </thead>
        <tbody>
          {slots
            .filter((slot) => slot.requests > 0)
            .map((slot) => (
              <tr>
                <th scope="row" safe>
                  {clock(slot.timestamp)}
                </th>
                <td>{slot.requests}</td>
                <td>{slot.errors}</td>
                <td safe>{milliseconds(slot.p95_ms)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

function slotSeconds(slots: RequestSlotView[]): number {
  const [first, second] = slots;
  return first && second ? (Date.parse(second.timestamp) - Date.parse(first.timestamp)) / 1000 : 1;
}

const sum = (slots: RequestSlotView[], of: (slot: RequestSlotView) => number): number =>
  slots.reduce((total, slot) => total + of(slot), 0);

const share = (of: number): string => (of < 0.001 ? "under 0.1 %" : `${(of * 100).toFixed(1)} %`);

/** The histogram ends at ten seconds. */
function milliseconds(ms: number | null): string {
  if (ms === null) return "none";
  if (ms >= 10_000) return "over 10 s";
  return ms < 10 ? `${ms.toFixed(1)} ms` : formatDuration(ms);
}

/** `11-21 14:30`, in UTC. */
const clock = (timestamp: string): string => `${timestamp.slice(5, 10)} ${timestamp.slice(11, 16)}`;

function when({ timestamp }: RequestSlotView, seconds: number): string {
  return `${clock(timestamp)} UTC, ${formatDuration(seconds * 1000)}`;
}

function statusWords({ requests, status }: RequestSlotView): string {
  const classes = CLASSES.filter(({ name }) => status[name] > 0).map(
    ({ name }) => `${status[name]} × ${name}`,
  );
  return [`${formatCount(requests)} requests`, ...classes].join(", ");
}

function latencyWords({ p50_ms, p95_ms, p99_ms }: RequestSlotView): string {
  if (p50_ms === null) return "no requests";
  return `half ${milliseconds(p50_ms)}, 95 % ${milliseconds(p95_ms)}, 99 % ${milliseconds(p99_ms)}`;
}
