import { CommandLine } from "../components/copyable.tsx";
import { Empty } from "../components/empty.tsx";
import { formatBytes, formatMany } from "../components/format.ts";
import { Meter } from "../components/meter.tsx";
import { Notice, type NoticeView } from "../components/notice.tsx";
import { State, type StateWord } from "../components/state.tsx";
import { TimeAgo } from "../components/time-ago.tsx";
import { AppRows, type AppRowView } from "../partials/app-row.tsx";
import { type RecentDeployment, RecentDeployments } from "../partials/recent-deployments.tsx";

export interface BoxLineView {
  engine: StateWord;
  disk: { total_bytes: number; used_bytes: number; free_bytes: number };
  memory: { total_bytes: number; used_bytes: number; free_bytes: number };
  temperature_c: number | null;
  /** Deployments and other jobs that wait for their turn. */
  queue: number;
  /** The newest restart of something that had ended by itself. */
  healed: { what: string; at: string } | null;
}

export interface HomeView {
  /** null = the box could not say; the apps are shown all the same. */
  box: BoxLineView | null;
  apps: AppRowView[];
  recent: RecentDeployment[];
  now: number;
  notice?: NoticeView;
}

/** Is all well, what changed, what needs me: the box, then the apps that need someone, then the others. */
export function HomePage({ box, apps, recent, now, notice }: HomeView) {
  const needy = apps.filter((app) => app.status === "error" || app.status === "degraded");
  const others = apps.filter((app) => !needy.includes(app));
  return (
    <div id="page" class="home">
      <h1 safe>{headline(apps.length, needy.length)}</h1>
      <Notice notice={notice} />
      <div id="live" hx-get="/" hx-trigger="every 5s" hx-select="#live" hx-swap="outerMorph">
        {box ? <BoxLine box={box} now={now} /> : null}
        {needy.length > 0 ? (
          <section class="needs" aria-labelledby="needs-title">
            <div class="sectionhead">
              <h2 id="needs-title">Needs you</h2>
              {others.length === 0 ? <DeployLink /> : null}
            </div>
            <AppRows apps={needy} caption="Apps that need someone" now={now} />
          </section>
        ) : null}
        {others.length > 0 ? (
          <section aria-labelledby="apps-title">
            <div class="sectionhead">
              <h2 id="apps-title">Apps</h2>
              <DeployLink />
            </div>
            <AppRows apps={others} caption="Apps" now={now} />
          </section>
        ) : null}
        {apps.length === 0 ? <NoApps /> : <RecentDeployments recent={recent} now={now} />}
      </div>
      <CommandLine command="diplo apps" />
    </div>
  );
}

function headline(apps: number, needy: number): string {
  if (apps === 0) return "Welcome";
  if (needy === 0) return "All is well";
  return needy === 1 ? "1 app needs you" : `${needy} apps need you`;
}

function DeployLink() {
  return (
    <a class="button primary" href="/apps/new">
      Deploy
    </a>
  );
}

function NoApps() {
  return (
    <Empty title="Your apps will stand here." command="diplo deploy https://github.com/you/app">
      <p>Give Diplo the address of a git repository; it answers with the address where the app runs.</p>
      <p>
        <a class="button primary" href="/apps/new">
          Deploy the first app
        </a>
      </p>
    </Empty>
  );
}

function BoxLine({ box, now }: { box: BoxLineView; now: number }) {
  return (
    <dl class="boxline" aria-label="The box">
      <div>
        <dt>Engine</dt>
        <dd>
          <State {...box.engine} />
        </dd>
      </div>
      <Share name="Disk" size={box.disk} />
      <Share name="Memory" size={box.memory} />
      {box.temperature_c === null ? null : (
        <div>
          <dt>Board</dt>
          <dd safe>{`${Math.round(box.temperature_c)} °C`}</dd>
        </div>
      )}
      <div>
        <dt>Waiting</dt>
        <dd safe>{box.queue === 0 ? "nothing" : formatMany(box.queue, "job")}</dd>
      </div>
      <div>
        <dt>Last healing</dt>
        <dd>
          {box.healed === null ? (
            "none"
          ) : (
            <>
              <span safe>{`${box.healed.what}, `}</span>
              <TimeAgo at={box.healed.at} now={now} />
            </>
          )}
        </dd>
      </div>
    </dl>
  );
}

function Share({ name, size }: { name: "Disk" | "Memory"; size: BoxLineView["disk"] }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Meter share={1 - size.free_bytes / Math.max(1, size.total_bytes)} />
        <span safe>{`${formatBytes(size.free_bytes)} free of ${formatBytes(size.total_bytes)}`}</span>
      </dd>
    </div>
  );
}
