import { escapeHtml } from "@kitajs/html";
import { CommandLine, Copyable } from "../components/copyable.tsx";
import { formatBytes, formatCount, formatDuration, formatMany } from "../components/format.ts";
import { Meter } from "../components/meter.tsx";
import { checkState, State } from "../components/state.tsx";

export interface BoxView {
  system: {
    version: string;
    box_id: string;
    hostname: string;
    architecture: string;
    uptime_seconds: number;
    data: string;
    dashboard_urls: string[];
    proxy: { pid: number; generation: number; connections: number } | null;
    settings: Record<string, string>;
  };
  stats: {
    apps: number;
    running: number;
    ports_used: number;
    disk: { total_bytes: number; used_bytes: number; free_bytes: number };
    memory: { total_bytes: number; used_bytes: number; free_bytes: number };
    load: number[];
    cpus: number;
    temperature_c: number | null;
  };
  runtimes: {
    type: string;
    address: string;
    version: string;
    available: boolean;
    reason: string | null;
    warnings: string[];
  }[];
  checks: { name: string; status: string; detail: string; remedy: string | null }[];
}

/** The box itself: what is wrong with it first, then what it is. */
export function BoxPage({ system, stats, runtimes, checks }: BoxView) {
  return (
    <div id="page">
      <div class="sectionhead">
        <h1 safe>{system.hostname}</h1>
        <span>
          <a href="/box/registries">Registries</a> · <a href="/box/tokens">API tokens</a>
        </span>
      </div>
      <Doctor checks={checks} />
      <Load stats={stats} />
      <Runtimes runtimes={runtimes} />
      <About system={system} stats={stats} />
      <form method="post" action="/logout">
        <button type="submit" class="button quiet">
          Sign out
        </button>
      </form>
      <CommandLine command="diplo doctor" />
    </div>
  );
}

const severity: Record<string, number> = { fault: 0, warning: 1, ok: 2 };

function Doctor({ checks }: Pick<BoxView, "checks">) {
  const sorted = checks.toSorted((a, b) => (severity[a.status] ?? 1) - (severity[b.status] ?? 1));
  return (
    <section aria-labelledby="doctor-title">
      <h2 id="doctor-title">Doctor</h2>
      <table class="rows">
        <caption class="away">What was examined</caption>
        <tbody>
          {sorted.map((check) => (
            <tr>
              <td>
                <State {...checkState(check.status)} />
              </td>
              <th scope="row" safe>
                {check.name}
              </th>
              <td>
                <span safe>{check.detail}</span>
                {check.remedy ? (
                  <span class="sub" safe>
                    {check.remedy}
                  </span>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Load({ stats }: Pick<BoxView, "stats">) {
  const load = stats.load[0] ?? 0;
  return (
    <section aria-labelledby="load-title">
      <h2 id="load-title">Load</h2>
      <dl class="facts wide">
        <dt>Disk</dt>
        <dd>
          <Meter share={1 - stats.disk.free_bytes / Math.max(1, stats.disk.total_bytes)} />
          <span
            safe
          >{`${formatBytes(stats.disk.free_bytes)} free of ${formatBytes(stats.disk.total_bytes)}`}</span>
        </dd>
        <dt>Memory</dt>
        <dd>
          <Meter share={1 - stats.memory.free_bytes / Math.max(1, stats.memory.total_bytes)} />
          <span
            safe
          >{`${formatBytes(stats.memory.free_bytes)} free of ${formatBytes(stats.memory.total_bytes)}`}</span>
        </dd>
        <dt>Processor</dt>
        <dd>
          <Meter share={load / Math.max(1, stats.cpus)} />
          <span safe>{`load ${load.toFixed(2)} on ${formatMany(stats.cpus, "core")}`}</span>
        </dd>
        {stats.temperature_c === null ? null : (
          <>
            <dt>Temperature</dt>
            <dd safe>{`${Math.round(stats.temperature_c)} °C`}</dd>
          </>
        )}
      </dl>
    </section>
  );
}

function Runtimes({ runtimes }: Pick<BoxView, "runtimes">) {
  return (
    <section aria-labelledby="engines-title">
      <h2 id="engines-title">Engines</h2>
      <table class="rows">
        <caption class="away">Engines of this box</caption>
        <tbody>
          {runtimes.map((runtime) => (
            <tr>
              <td>
                <State
                  kind={runtime.available ? "live" : "stopped"}
                  word={runtime.available ? "usable" : "not usable"}
                />
              </td>
              <th scope="row" safe>{`${runtime.type} ${runtime.version}`}</th>
              <td>
                <code safe>{runtime.address}</code>
                {runtime.reason ? (
                  <span class="sub" safe>
                    {runtime.reason}
                  </span>
                ) : null}
                {runtime.warnings.map((warning) => (
                  <span class="sub" safe>
                    {warning}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function About({ system, stats }: Pick<BoxView, "system" | "stats">) {
  return (
    <section aria-labelledby="about-title">
      <h2 id="about-title">This box</h2>
      <dl class="facts wide">
        <dt>Diplo</dt>
        <dd
          safe
        >{`${system.version} for ${system.architecture}, up ${formatDuration(system.uptime_seconds * 1000)}`}</dd>
        <dt>Box id</dt>
        <dd>
          <Copyable value={system.box_id} label="the box's id" />
        </dd>
        <dt>Apps</dt>
        <dd
          safe
        >{`${formatCount(stats.running)} of ${formatCount(stats.apps)} running, ${formatMany(stats.ports_used, "port")} taken`}</dd>
        <dt>Proxy</dt>
        <dd>
          {system.proxy === null ? (
            <State kind="failed" word="does not answer" />
          ) : (
            <span
              safe
            >{`process ${system.proxy.pid}, routes generation ${system.proxy.generation}, ${formatMany(system.proxy.connections, "connection")}`}</span>
          )}
        </dd>
        <dt>Dashboard</dt>
        <dd>
          {system.dashboard_urls.map((url) => (
            <span class="sub">
              <Copyable value={url} label="the address" />
            </span>
          ))}
        </dd>
        <dt>Data</dt>
        <dd>
          <Copyable value={system.data} label="the path" />
        </dd>
      </dl>
      <details>
        <summary>Settings</summary>
        <dl class="facts wide">
          {Object.entries(system.settings).map(([name, value]) => (
            <>
              <dt>{escapeHtml(name)}</dt>
              <dd>
                <code safe>{value}</code>
              </dd>
            </>
          ))}
        </dl>
      </details>
    </section>
  );
}
