import { escapeHtml } from "@kitajs/html";
import { CommandLine, Copyable } from "../components/copyable.tsx";
import { Empty } from "../components/empty.tsx";
import { pathTo, safeHref } from "../components/escape.ts";
import { Failure, type FailureView } from "../components/failure.tsx";
import { ActionButton } from "../components/form.tsx";
import { firstLine, formatCount, formatMany, shortCommit } from "../components/format.ts";
import { Notice, type NoticeView } from "../components/notice.tsx";
import { type RequestsInSlot, Sparkline } from "../components/sparkline.tsx";
import { deploymentState, instanceState, State } from "../components/state.tsx";
import { TimeAgo } from "../components/time-ago.tsx";
import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";

export interface InstanceView {
  id: string;
  name: string;
  process: string;
  release: number;
  status: string;
  routed: boolean;
  address: string;
  restarts: number;
  last_exit: { exit_code: number; oom_killed: boolean; at: string } | null;
  created_at: string;
}

export interface RecentDeployment {
  id: string;
  status: string;
  trigger: string;
  created_by: string;
  commit: string | null;
  commit_message: string | null;
  release: number | null;
  created_at: string;
}

export interface AppView {
  app: AppHeading & {
    urls: string[];
    port: number;
    release: number | null;
    commit: string | null;
    commit_message: string | null;
    deployed_at: string | null;
    deployed_by: string | null;
    deployment_id: string | null;
    instances: { wanted: number; running: number };
    runtime_type: string;
  };
  failure: FailureView | null;
  instances: InstanceView[];
  recent: RecentDeployment[];
  requests: RequestsInSlot[];
  now: number;
  notice?: NoticeView | undefined;
}

export function AppPage(view: AppView) {
  const { app, now } = view;
  const path = pathTo`/apps/${appRef(app)}`;
  return (
    <div id="page">
      <Notice notice={view.notice} />
      <div id="live" hx-get={path} hx-trigger="every 4s" hx-select="#live" hx-swap="outerMorph">
        <AppHeader app={app} tab="overview" />
        {app.deployment_id ? (
          <p class="underway">
            <State kind="working" word="A deployment is under way." />{" "}
            <a href={pathTo`/deployments/${app.deployment_id}`}>Watch it</a>
          </p>
        ) : null}
        {view.failure ? <Failure failure={view.failure} heading="The last deployment failed" /> : null}
        <div class="columns">
          <CurrentRelease app={app} now={now} path={path} />
          <Requests slots={view.requests} />
        </div>
        <Instances instances={view.instances} app={app} now={now} />
        <Recent recent={view.recent} path={path} now={now} />
      </div>
      <CommandLine command={`diplo apps:info ${appRef(app)}`} />
    </div>
  );
}

function CurrentRelease({ app, now, path }: { app: AppView["app"]; now: number; path: string }) {
  return (
    <section aria-labelledby="release-title">
      <h2 id="release-title">Release</h2>
      {app.release === null ? (
        <p class="faint">Nothing has gone live yet.</p>
      ) : (
        <dl class="facts">
          <dt>Version</dt>
          <dd class="num">{`v${app.release}`}</dd>
          {app.commit ? (
            <>
              <dt>Commit</dt>
              <dd>
                <Copyable value={app.commit} show={shortCommit(app.commit)} label="the commit" />{" "}
                {escapeHtml(firstLine(app.commit_message ?? ""))}
              </dd>
            </>
          ) : null}
          {app.deployed_at ? (
            <>
              <dt>Live since</dt>
              <dd>
                <TimeAgo at={app.deployed_at} now={now} />
                {app.deployed_by ? ` by ${escapeHtml(app.deployed_by)}` : ""}
              </dd>
            </>
          ) : null}
        </dl>
      )}
      <Addresses urls={app.urls} />
      <div class="actions">
        {app.status === "stopped" ? (
          <ActionButton action={`${path}/start`} text="Start" busy="Starting…" kind="primary" />
        ) : (
          <>
            <ActionButton action={`${path}/deploy`} text="Deploy again" busy="Starting…" kind="primary" />
            <ActionButton action={`${path}/restart`} text="Restart" busy="Restarting…" />
            <ActionButton action={`${path}/stop`} text="Stop" busy="Stopping…" />
          </>
        )}
      </div>
    </section>
  );
}

function Addresses({ urls }: { urls: string[] }) {
  return (
    <ul class="addresses" aria-label="Addresses">
      {urls.map((url) => (
        <li>
          <a href={safeHref(url)} rel="noopener" target="_blank" safe>
            {url}
          </a>
          <Copyable value={url} show="" label="the address" />
        </li>
      ))}
    </ul>
  );
}

function Requests({ slots }: { slots: RequestsInSlot[] }) {
  const total = slots.reduce((sum, slot) => sum + slot.requests, 0);
  const errors = slots.reduce((sum, slot) => sum + slot.errors, 0);
  return (
    <section aria-labelledby="requests-title" class="requests">
      <h2 id="requests-title">Requests, 24 h</h2>
      <p>
        <strong class="figure num">{formatCount(total)}</strong>{" "}
        {errors > 0 ? <span class="bad">{`${formatCount(errors)} failed`}</span> : null}
      </p>
      {total > 0 ? (
        <Sparkline slots={slots} span="24 h" />
      ) : (
        <p class="faint">Nobody has asked for it yet.</p>
      )}
      <div class="away">
        <table>
          <caption>Requests by half hour</caption>
          <tbody>
            {slots
              .filter((slot) => slot.requests > 0)
              .map((slot) => (
                <tr>
                  <th scope="row">{new Date(slot.start).toISOString().slice(11, 16)}</th>
                  <td>{slot.requests}</td>
                  <td>{slot.errors}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Instances({ instances, app, now }: { instances: InstanceView[]; app: AppView["app"]; now: number }) {
  return (
    <section aria-labelledby="instances-title">
      <h2 id="instances-title">{`Instances, ${app.instances.running} of ${app.instances.wanted} running`}</h2>
      {instances.length === 0 ? (
        <Empty title="No instance runs." command={`diplo ps ${appRef(app)}`} />
      ) : (
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Process</th>
              <th scope="col">Release</th>
              <th scope="col">Address</th>
              <th scope="col">Since</th>
              <th scope="col">Last exit</th>
            </tr>
          </thead>
          <tbody>
            {instances.map((instance) => (
              <InstanceRow instance={instance} now={now} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function InstanceRow({ instance, now }: { instance: InstanceView; now: number }) {
  return (
    <tr>
      <td>
        <State {...instanceState(instance.status)} />
        {instance.routed ? <span class="sub">serves</span> : null}
      </td>
      <th scope="row">
        <Copyable value={instance.name} show={instance.process} label="the instance's name" />
      </th>
      <td class="num" data-label="Release">{`v${instance.release}`}</td>
      <td data-label="Address">
        <code safe>{instance.address}</code>
      </td>
      <td data-label="Since">
        <TimeAgo at={instance.created_at} now={now} />
        {instance.restarts > 0 ? (
          <span class="sub bad">{formatMany(instance.restarts, "restart")}</span>
        ) : null}
      </td>
      <td data-label="Last exit">
        {instance.last_exit ? exitWords(instance.last_exit) : <span class="faint">none</span>}
      </td>
    </tr>
  );
}

const exitWords = (exit: { exit_code: number; oom_killed: boolean }): string =>
  exit.oom_killed ? "out of memory" : `code ${exit.exit_code}`;

function Recent({ recent, path, now }: { recent: RecentDeployment[]; path: string; now: number }) {
  return (
    <section aria-labelledby="recent-title">
      <div class="sectionhead">
        <h2 id="recent-title">Recent changes</h2>
        <a href={`${path}/deployments`}>All deployments</a>
      </div>
      {recent.length === 0 ? (
        <p class="faint">Nothing was deployed yet.</p>
      ) : (
        <table class="rows">
          <tbody>
            {recent.map((deployment) => (
              <tr>
                <td>
                  <State {...deploymentState(deployment.status)} />
                </td>
                <th scope="row">
                  <a href={pathTo`/deployments/${deployment.id}`} safe>
                    {deploymentTitle(deployment)}
                  </a>
                </th>
                <td class="faint">
                  <TimeAgo at={deployment.created_at} now={now} />
                  {` by ${escapeHtml(deployment.created_by)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** What a deployment changed, in a few words. */
export function deploymentTitle(
  deployment: Pick<RecentDeployment, "trigger" | "commit_message" | "commit" | "release">,
): string {
  const release = deployment.release === null ? "" : `v${deployment.release} · `;
  if (deployment.trigger === "config") return `${release}config changed`;
  if (deployment.trigger === "rollback") return `${release}rolled back`;
  const message = firstLine(deployment.commit_message ?? "");
  return (
    release + (message || (deployment.commit ? shortCommit(deployment.commit) : `by ${deployment.trigger}`))
  );
}
