import { CommandLine } from "../components/copyable.tsx";
import { pathTo } from "../components/escape.ts";
import { Failure, type FailureView } from "../components/failure.tsx";
import { failureTitle } from "../components/failure-title.ts";
import { Notice, type NoticeView } from "../components/notice.tsx";
import { State } from "../components/state.tsx";
import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";
import { CurrentRelease, type CurrentReleaseView } from "../partials/current-release.tsx";
import { Instances, type InstanceView } from "../partials/instances.tsx";
import { type RecentDeployment, RecentDeployments } from "../partials/recent-deployments.tsx";
import { Requests, type RequestsView } from "../partials/requests.tsx";
import { UsagePlace } from "../partials/usage.tsx";

export interface AppView {
  app: AppHeading &
    CurrentReleaseView & { deployment_id: string | null; instances: { wanted: number; running: number } };
  failure: FailureView | null;
  instances: InstanceView[];
  recent: RecentDeployment[];
  requests: RequestsView;
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
        {view.failure ? (
          <Failure
            failure={view.failure}
            heading={`The last deployment failed: ${failureTitle(view.failure)}`}
          />
        ) : null}
        <CurrentRelease app={app} now={now} path={path} />
        <Instances instances={view.instances} counts={app.instances} now={now} />
        <RecentDeployments recent={view.recent} all={`${path}/deployments`} now={now} />
      </div>
      <Requests view={view.requests} appRef={appRef(app)} />
      {needsNoContainer(view.instances) ? null : <UsagePlace appRef={appRef(app)} />}
      <CommandLine command={`diplo apps:info ${appRef(app)}`} />
    </div>
  );
}

/** Files that the proxy serves use no memory of their own: there is nothing to measure. */
const needsNoContainer = (instances: InstanceView[]): boolean =>
  instances.length > 0 && instances.every(({ address }) => address === null);
