import { escapeHtml } from "@kitajs/html";
import { CommandLine, Copyable } from "../components/copyable.tsx";
import { Empty } from "../components/empty.tsx";
import { attribute, pathTo } from "../components/escape.ts";
import { failureTitle } from "../components/failure-title.ts";
import { ActionButton } from "../components/form.tsx";
import { formatDuration, shortCommit } from "../components/format.ts";
import { State } from "../components/state.tsx";
import { TimeAgo } from "../components/time-ago.tsx";
import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";
import { deploymentTitle, type RecentDeployment, shownState } from "../partials/recent-deployments.tsx";

export interface DeploymentRowView extends RecentDeployment {
  error: { code: string; title: string } | null;
  finished_at: string | null;
  /** Against the release that was live before: `commit a1b2c3d → d4e5f6a`, `config LOG_LEVEL`. */
  differences: string[];
  /** Its release's image is still kept and it is not the current one. */
  mayReturn: boolean;
}

export interface DeploymentsView {
  app: AppHeading;
  deployments: DeploymentRowView[];
  /** Where the older ones are; null = this is all. */
  older: string | null;
  now: number;
}

export function DeploymentsPage({ app, deployments, older, now }: DeploymentsView) {
  const ref = appRef(app);
  return (
    <div id="page">
      <AppHeader app={app} tab="deployments" />
      {deployments.length === 0 ? (
        <Empty title="Each deployment of this app will be listed here." command={`diplo deploy:again ${ref}`}>
          <ActionButton action={pathTo`/apps/${ref}/deploy`} text="Deploy" busy="Starting…" kind="primary" />
        </Empty>
      ) : (
        <table class="rows history">
          <caption class="away">Deployments, newest first</caption>
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">What</th>
              <th scope="col">Changes</th>
              <th scope="col">When</th>
              <th scope="col">
                <span class="away">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {deployments.map((deployment) => (
              <Row deployment={deployment} appRef={ref} now={now} />
            ))}
          </tbody>
        </table>
      )}
      {older ? (
        <p>
          <a href={attribute(older)}>Older deployments</a>
        </p>
      ) : null}
      <CommandLine command={`diplo apps:deployments ${ref}`} />
    </div>
  );
}

function Row({
  deployment,
  appRef: ref,
  now,
}: {
  deployment: DeploymentRowView;
  appRef: string;
  now: number;
}) {
  const took = deployment.finished_at
    ? Date.parse(deployment.finished_at) - Date.parse(deployment.created_at)
    : null;
  return (
    <tr>
      <td>
        <State {...shownState(deployment)} />
      </td>
      <th scope="row">
        <a href={pathTo`/deployments/${deployment.id}`} safe>
          {deploymentTitle(deployment)}
        </a>
        {deployment.error ? <span class="sub bad">{escapeHtml(failureTitle(deployment.error))}</span> : null}
        {deployment.commit ? (
          <span class="sub">
            <Copyable value={deployment.commit} show={shortCommit(deployment.commit)} label="the commit" />
          </span>
        ) : null}
      </th>
      <td>
        {deployment.differences.length === 0 ? (
          <span class="faint">–</span>
        ) : (
          deployment.differences.map((difference) => (
            <span class="difference" safe>
              {difference}
            </span>
          ))
        )}
      </td>
      <td>
        <TimeAgo at={deployment.created_at} now={now} />
        <span
          class="sub"
          safe
        >{`by ${deployment.created_by}${took === null ? "" : `, took ${formatDuration(took)}`}`}</span>
      </td>
      <td class="end">
        {deployment.mayReturn && deployment.release !== null ? (
          <ActionButton
            action={pathTo`/apps/${ref}/rollback`}
            text={`Return to v${deployment.release}`}
            busy="Starting…"
            fields={{ release: String(deployment.release) }}
          />
        ) : null}
      </td>
    </tr>
  );
}
