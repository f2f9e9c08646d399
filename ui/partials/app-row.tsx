import { escapeHtml } from "@kitajs/html";
import { pathTo, safeHref } from "../components/escape.ts";
import { failureTitle } from "../components/failure-title.ts";
import { firstLine } from "../components/format.ts";
import { type RequestsInSlot, Sparkline } from "../components/sparkline.tsx";
import { appState, State } from "../components/state.tsx";
import { TimeAgo } from "../components/time-ago.tsx";
import { appRef } from "./app-header.tsx";

export interface AppRowView {
  name: string;
  environment: string;
  status: string;
  url: string;
  release: number | null;
  commit_message: string | null;
  deployed_at: string | null;
  deployment_id: string | null;
  /** Why the last deployment failed. */
  error: { code: string; title: string } | null;
  instances: { wanted: number; running: number };
  requests: RequestsInSlot[];
}

export function AppRows({ apps, caption, now }: { apps: AppRowView[]; caption: string; now: number }) {
  return (
    <table class="rows apps">
      <caption class="away" safe>
        {caption}
      </caption>
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">App</th>
          <th scope="col">Last release</th>
          <th scope="col">Requests, 24 h</th>
        </tr>
      </thead>
      <tbody>
        {apps.map((app) => (
          <AppRow app={app} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function AppRow({ app, now }: { app: AppRowView; now: number }) {
  const ref = appRef(app);
  return (
    <tr>
      <td>
        <State {...appState(app.status)} />
        {app.instances.wanted > 0 ? (
          <span class="sub" safe>{`${app.instances.running} of ${app.instances.wanted} running`}</span>
        ) : null}
      </td>
      <th scope="row">
        <a class="name" href={pathTo`/apps/${ref}`} safe>
          {ref}
        </a>
        {app.release === null ? null : (
          <a class="sub" href={safeHref(app.url)} rel="noopener" target="_blank" safe>
            {app.url.replace(/^https?:\/\//, "")}
          </a>
        )}
      </th>
      <td>
        <LastRelease app={app} now={now} />
      </td>
      <td>
        <Sparkline slots={app.requests} span="24 h" />
      </td>
    </tr>
  );
}

function LastRelease({ app, now }: { app: AppRowView; now: number }) {
  if (app.deployment_id) {
    return <a href={pathTo`/deployments/${app.deployment_id}`}>Watch the deployment</a>;
  }
  const release = app.release === null ? null : `v${app.release}`;
  return (
    <>
      {release ? (
        <span class="num" safe>
          {release}
        </span>
      ) : (
        <span class="faint">none yet</span>
      )}
      {app.deployed_at ? (
        <>
          {" "}
          <TimeAgo at={app.deployed_at} now={now} />
        </>
      ) : null}
      {app.error ? (
        <span class="sub bad">{escapeHtml(failureTitle(app.error))}</span>
      ) : app.commit_message ? (
        <span class="sub">{escapeHtml(firstLine(app.commit_message))}</span>
      ) : null}
    </>
  );
}
