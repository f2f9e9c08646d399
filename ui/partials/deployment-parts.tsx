import { escapeHtml } from "@kitajs/html";
import { Copyable } from "../components/copyable.tsx";
import { pathTo, safeHref } from "../components/escape.ts";
import { Failure, type FailureView } from "../components/failure.tsx";
import { ActionButton } from "../components/form.tsx";
import { firstLine, shortCommit } from "../components/format.ts";
import { Icon } from "../components/icon.tsx";
import { PhaseBar, type PhaseView } from "../components/phase-bar.tsx";
import { deploymentState, State } from "../components/state.tsx";
import { TimeAgo } from "../components/time-ago.tsx";
import { AppHeader, type AppHeading, appRef } from "./app-header.tsx";

/** What of a deployment changes while it runs; the stream sends these parts anew. */
export interface DeploymentPartsView {
  app: AppHeading;
  deployment: {
    id: string;
    status: string;
    message: string;
    trigger: string;
    created_by: string;
    commit: string | null;
    commit_message: string | null;
    author: string | null;
    release: number | null;
    created_at: string;
    finished_at: string | null;
    error: FailureView | null;
    /** What is not as it should be although it is live. */
    warnings: FailureView[];
  };
  /** Branch, tag or directory it came from. */
  origin: string | null;
  /** The release that "go back" means here; null = there is nothing to go back to. */
  returnTo: number | null;
  /** It serves now. */
  current: boolean;
  phases: PhaseView[];
  previous: PhaseView[] | null;
  now: number;
}

export const isUnderWay = (status: string): boolean => ["queued", "building", "deploying"].includes(status);

/** The parts by themselves, in the order in which the page shows them. */
export function deploymentParts(view: DeploymentPartsView): JSX.Element[] {
  return [
    <AppHeader app={view.app} tab="deployments" />,
    <DeploymentSummary view={view} />,
    <section id="deployment-phases" aria-label="Phases">
      <PhaseBar phases={view.phases} previous={view.previous} now={view.now} />
    </section>,
  ];
}

/** What it is, how it went, the explanation of a failure, and what can be done now. */
function DeploymentSummary({ view }: { view: DeploymentPartsView }) {
  const { deployment, now } = view;
  const under = isUnderWay(deployment.status);
  return (
    <section id="deployment-summary" aria-labelledby="deployment-title">
      <h2 id="deployment-title" safe>
        {deploymentHeading(deployment)}
      </h2>
      <Origin view={view} />
      <p class="headline" role="status">
        <State {...deploymentState(deployment.status)} />
        <span class="faint">
          {under ? escapeHtml(deployment.message) : <Ended deployment={deployment} now={now} />}
        </span>
      </p>
      {deployment.error && deployment.status !== "cancelled" ? <Failure failure={deployment.error} /> : null}
      {deployment.warnings.map((warning) => (
        <Failure failure={warning} heading={`Live, with a warning: ${warning.title}`} />
      ))}
      <div class="actions">{under ? <Cancel id={deployment.id} /> : <Onward view={view} />}</div>
    </section>
  );
}

const triggers: Record<string, string> = {
  user: "Deployment",
  rollback: "Return to an old release",
  config: "Change of config",
  restart: "Restart",
  scale: "Change of scale",
  start: "Start",
  retry: "New try",
};

function deploymentHeading({ trigger, commit_message }: DeploymentPartsView["deployment"]): string {
  const kind = triggers[trigger] ?? `Deployment by ${trigger}`;
  const message = firstLine(commit_message ?? "");
  if (message === "") return kind;
  return trigger === "user" ? message : `${kind}: ${message}`;
}

function Origin({ view: { deployment, origin, now } }: { view: DeploymentPartsView }) {
  const { commit, author } = deployment;
  return (
    <p class="origin faint">
      {commit ? <Copyable value={commit} show={shortCommit(commit)} label="the commit" /> : null}
      {origin ? <span safe>{` ${origin}`}</span> : null}
      {author ? <span safe>{`, written by ${author}`}</span> : null}
      {commit || origin ? ", started " : "Started "}
      <TimeAgo at={deployment.created_at} now={now} />
      <span safe>{` by ${deployment.created_by}`}</span>
    </p>
  );
}

function Ended({ deployment, now }: { deployment: DeploymentPartsView["deployment"]; now: number }) {
  return (
    <>
      {deployment.release === null ? null : <span safe>{`v${deployment.release}, `}</span>}
      <TimeAgo at={deployment.finished_at ?? deployment.created_at} now={now} />
    </>
  );
}

function Cancel({ id }: { id: string }) {
  return <ActionButton action={pathTo`/deployments/${id}/cancel`} text="Cancel" busy="Cancelling…" />;
}

function Onward({ view: { app, deployment, current, returnTo } }: { view: DeploymentPartsView }) {
  const live = deployment.status === "success";
  const ref = appRef(app);
  const again = live ? pathTo`/apps/${ref}/deploy` : pathTo`/deployments/${deployment.id}/retry`;
  return (
    <>
      {current ? (
        <a class="button primary" href={safeHref(app.url)} rel="noopener" target="_blank">
          Open the app <Icon name="out" />
        </a>
      ) : null}
      <ActionButton
        action={again}
        text={live ? "Deploy again" : "Try again"}
        busy="Starting…"
        kind={live ? "quiet" : "primary"}
      />
      {returnTo === null ? null : (
        <ActionButton
          action={pathTo`/apps/${ref}/rollback`}
          text={`Return to v${returnTo}`}
          busy="Starting…"
          fields={{ release: String(returnTo) }}
        />
      )}
    </>
  );
}
