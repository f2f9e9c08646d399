import { escapeHtml } from "@kitajs/html";
import { pathTo, safeHref } from "../components/escape.ts";
import { Failure, type FailureView } from "../components/failure.tsx";
import { ActionButton } from "../components/form.tsx";
import { Icon } from "../components/icon.tsx";
import { PhaseBar, type PhaseView } from "../components/phase-bar.tsx";
import { deploymentState, State } from "../components/state.tsx";
import { TimeAgo } from "../components/time-ago.tsx";

/** What of a deployment changes while it runs; the stream sends these parts anew. */
export interface DeploymentPartsView {
  deployment: {
    id: string;
    app: string;
    environment: string;
    status: string;
    step: string;
    message: string;
    trigger: string;
    created_by: string;
    release: number | null;
    created_at: string;
    finished_at: string | null;
    error: FailureView | null;
  };
  appRef: string;
  /** Where the app answers; null while nothing is live. */
  url: string | null;
  phases: PhaseView[];
  previous: PhaseView[] | null;
  now: number;
}

export const isUnderWay = (status: string): boolean => ["queued", "building", "deploying"].includes(status);

/** State, explanation of a failure and what can be done now. Replaced as a whole by the stream. */
export function DeploymentStatus({ view }: { view: DeploymentPartsView }) {
  const { deployment, now } = view;
  const under = isUnderWay(deployment.status);
  return (
    <div id="deployment-status">
      <p class="headline" role="status">
        <State {...deploymentState(deployment.status)} />
        <span class="faint">
          {under ? escapeHtml(deployment.message) : null}
          {under ? null : <Ended deployment={deployment} now={now} />}
        </span>
      </p>
      {deployment.error ? <Failure failure={deployment.error} heading={deployment.error.title} /> : null}
      <div class="actions">
        <Actions view={view} under={under} />
      </div>
    </div>
  );
}

function Ended({ deployment, now }: { deployment: DeploymentPartsView["deployment"]; now: number }) {
  return (
    <>
      {deployment.release === null ? "" : `v${deployment.release}, `}
      <TimeAgo at={deployment.finished_at ?? deployment.created_at} now={now} />
    </>
  );
}

function Actions({ view, under }: { view: DeploymentPartsView; under: boolean }) {
  const { deployment, url } = view;
  const base = pathTo`/deployments/${deployment.id}`;
  if (under) return <ActionButton action={`${base}/cancel`} text="Cancel" busy="Cancelling…" />;
  return (
    <>
      {deployment.status === "success" && url ? (
        <a class="button primary" href={safeHref(url)} rel="noopener" target="_blank">
          Open the app <Icon name="out" />
        </a>
      ) : null}
      <ActionButton
        action={deployment.status === "success" ? pathTo`/apps/${view.appRef}/deploy` : `${base}/retry`}
        text={deployment.status === "success" ? "Deploy again" : "Try again"}
        busy="Starting…"
        kind={deployment.status === "failed" ? "primary" : "quiet"}
      />
      {deployment.status === "success" ? (
        <ActionButton
          action={pathTo`/apps/${view.appRef}/rollback`}
          text="Return to the release before"
          busy="Starting…"
        />
      ) : null}
    </>
  );
}

/** The phase bar in the element that the stream replaces. */
export function DeploymentPhases({ view }: { view: DeploymentPartsView }) {
  return (
    <section id="deployment-phases" aria-label="Phases">
      <PhaseBar phases={view.phases} previous={view.previous} now={view.now} />
    </section>
  );
}
