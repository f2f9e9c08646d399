import { escapeHtml } from "@kitajs/html";
import { CommandLine, Copyable } from "../components/copyable.tsx";
import { pathTo } from "../components/escape.ts";
import { firstLine, shortCommit } from "../components/format.ts";
import { type LogLineView, LogView } from "../components/log-view.tsx";
import { TimeAgo } from "../components/time-ago.tsx";
import { AppHeader, type AppHeading } from "../partials/app-header.tsx";
import {
  type DeploymentPartsView,
  DeploymentPhases,
  DeploymentStatus,
  isUnderWay,
} from "../partials/deployment-parts.tsx";

export interface DeploymentView extends DeploymentPartsView {
  app: AppHeading;
  commit: string | null;
  commit_message: string | null;
  author: string | null;
  /** Branch, tag or directory it came from. */
  origin: string | null;
  log: LogLineView[];
  /** Byte offset in the log after the lines above. */
  logEnd: number;
}

/** One deployment: what came of it, its phases, its log. The explanation of a failure stands on top. */
export function DeploymentPage(view: DeploymentView) {
  const { deployment, app } = view;
  const base = pathTo`/deployments/${deployment.id}`;
  const under = isUnderWay(deployment.status);
  return (
    <div id="page">
      <AppHeader app={app} tab="deployments" />
      <section class="deployment" aria-labelledby="deployment-title">
        <h2 id="deployment-title">{deploymentHeading(view)}</h2>
        <Origin view={view} />
        <DeploymentStatus view={view} />
      </section>
      <DeploymentPhases view={view} />
      <LogView
        id="deployment-log"
        label="Log of the deployment"
        lines={view.log}
        stream={under ? `${base}/stream` : null}
        after={view.logEnd}
        download={pathTo`/api/v1/deployments/${deployment.id}/log`}
        emptyText="Nothing was written yet."
      />
      <CommandLine command={`diplo deployments:info ${deployment.id}`} />
    </div>
  );
}

function deploymentHeading({ deployment, commit_message }: DeploymentView): string {
  const message = firstLine(commit_message ?? "");
  if (message !== "") return escapeHtml(message);
  return `Deployment by ${escapeHtml(deployment.trigger)}`;
}

function Origin({ view }: { view: DeploymentView }) {
  const { deployment, now } = view;
  return (
    <p class="origin faint">
      {view.commit ? (
        <Copyable value={view.commit} show={shortCommit(view.commit)} label="the commit" />
      ) : null}
      {view.origin ? ` ${escapeHtml(view.origin)}` : ""}
      {view.author ? `, written by ${escapeHtml(view.author)}` : ""}
      {view.commit || view.origin ? ", started " : "Started "}
      <TimeAgo at={deployment.created_at} now={now} />
      {` by ${escapeHtml(deployment.created_by)}`}
    </p>
  );
}
