import { CommandLine } from "../components/copyable.tsx";
import { pathTo } from "../components/escape.ts";
import { type LogLineView, LogView } from "../components/log-view.tsx";
import { type DeploymentPartsView, deploymentParts, isUnderWay } from "../partials/deployment-parts.tsx";

export interface DeploymentView extends DeploymentPartsView {
  log: LogLineView[];
  /** Byte offset in the log after the lines above. */
  logEnd: number;
}

/** One deployment: what came of it, its phases, its log. The explanation of a failure stands on top. */
export function DeploymentPage(view: DeploymentView) {
  const { deployment } = view;
  const base = pathTo`/deployments/${deployment.id}`;
  return (
    <div id="page">
      {deploymentParts(view) as "safe"[]}
      <LogView
        id="deployment-log"
        label="Log of the deployment"
        lines={view.log}
        stream={isUnderWay(deployment.status) ? `${base}/stream` : null}
        after={view.logEnd}
        download={pathTo`/api/v1/deployments/${deployment.id}/log`}
        emptyText="Nothing was written yet."
      />
      <CommandLine command={`diplo deployments:info ${deployment.id}`} />
    </div>
  );
}
