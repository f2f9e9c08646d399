import { pathTo } from "../components/escape.ts";
import { formatBytes } from "../components/format.ts";
import { Meter } from "../components/meter.tsx";

export interface UsageView {
  /** `web.1`. */
  instance: string;
  memory_bytes: number;
  /** 0 = no limit holds. */
  memory_limit_bytes: number;
  cpu_percent: number;
}

/** Where the measurements go. Asking the engine takes a moment, so the page does not wait for it. */
export function UsagePlace({ appRef: ref }: { appRef: string }) {
  const path = pathTo`/apps/${ref}/usage`;
  return (
    <section
      id="usage"
      aria-labelledby="usage-title"
      hx-get={path}
      hx-trigger="load, every 15s"
      hx-swap="outerHTML"
    >
      <h2 id="usage-title">Memory and processor</h2>
      <p class="faint measuring">
        <a class="idle" href={path}>
          Measure now
        </a>
        <span class="busy">Measuring…</span>
      </p>
    </section>
  );
}

/** What each instance uses of what it may. null = the engine did not say. */
export function Usage({ usage, appRef: ref }: { usage: UsageView[] | null; appRef: string }) {
  return (
    <section
      id="usage"
      aria-labelledby="usage-title"
      hx-get={pathTo`/apps/${ref}/usage`}
      hx-trigger="every 15s"
      hx-swap="outerMorph"
    >
      <h2 id="usage-title">Memory and processor</h2>
      {usage === null ? <p class="faint">The engine did not say.</p> : null}
      {usage?.length === 0 ? <p class="faint">No instance runs.</p> : null}
      {usage && usage.length > 0 ? <UsageList usage={usage} /> : null}
    </section>
  );
}

function UsageList({ usage }: { usage: UsageView[] }) {
  return (
    <dl class="facts wide">
      {usage.map((each) => (
        <>
          <dt safe>{each.instance}</dt>
          <dd>
            {each.memory_limit_bytes > 0 ? (
              <Meter share={each.memory_bytes / each.memory_limit_bytes} />
            ) : null}
            <span safe>{memoryWords(each)}</span>
            <span class="faint" safe>{`, ${each.cpu_percent.toFixed(1)} % of a core`}</span>
          </dd>
        </>
      ))}
    </dl>
  );
}

function memoryWords({ memory_bytes, memory_limit_bytes }: UsageView): string {
  const used = formatBytes(memory_bytes);
  return memory_limit_bytes > 0 ? `${used} of ${formatBytes(memory_limit_bytes)}` : `${used}, no limit`;
}
