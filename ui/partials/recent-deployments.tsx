import { pathTo } from "../components/escape.ts";
import { firstLine, shortCommit } from "../components/format.ts";
import { deploymentState, State, type StateWord } from "../components/state.tsx";
import { TimeAgo } from "../components/time-ago.tsx";

export interface RecentDeployment {
  id: string;
  status: string;
  trigger: string;
  created_by: string;
  commit: string | null;
  commit_message: string | null;
  release: number | null;
  created_at: string;
  /** The release it made serves now. */
  current: boolean;
  /** Where several apps are shown together. */
  appRef?: string;
}

/** What changed, newest first. `all` is where the rest is. */
export function RecentDeployments({
  recent,
  all,
  now,
}: {
  recent: RecentDeployment[];
  all?: string;
  now: number;
}) {
  return (
    <section aria-labelledby="recent-title">
      <div class="sectionhead">
        <h2 id="recent-title">Recent changes</h2>
        {all ? <a href={all}>All deployments</a> : null}
      </div>
      {recent.length === 0 ? (
        <p class="faint">Nothing was deployed yet.</p>
      ) : (
        <table class="rows">
          <caption class="away">Recent changes</caption>
          <tbody>
            {recent.map((deployment) => (
              <Row deployment={deployment} now={now} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Row({ deployment, now }: { deployment: RecentDeployment; now: number }) {
  return (
    <tr>
      <td>
        <State {...shownState(deployment)} />
      </td>
      {deployment.appRef ? (
        <td>
          <a href={pathTo`/apps/${deployment.appRef}`} safe>
            {deployment.appRef}
          </a>
        </td>
      ) : null}
      <th scope="row">
        <a href={pathTo`/deployments/${deployment.id}`} safe>
          {deploymentTitle(deployment)}
        </a>
      </th>
      <td class="faint">
        <TimeAgo at={deployment.created_at} now={now} />
        <span safe>{` by ${deployment.created_by}`}</span>
      </td>
    </tr>
  );
}

/** A deployment that succeeded is live only as long as its release serves. */
export function shownState({ status, current }: Pick<RecentDeployment, "status" | "current">): StateWord {
  return status !== "success" || current ? deploymentState(status) : { kind: "stopped", word: "replaced" };
}

const changes: Record<string, string> = {
  config: "config changed",
  rollback: "rolled back",
  restart: "restarted",
  scale: "scaled",
  start: "started",
};

/** What a deployment changed, in a few words. */
export function deploymentTitle(
  deployment: Pick<RecentDeployment, "trigger" | "commit_message" | "commit" | "release">,
): string {
  const { trigger, commit, commit_message } = deployment;
  const release = deployment.release === null ? "" : `v${deployment.release} · `;
  const message = firstLine(commit_message ?? "");
  return release + (changes[trigger] ?? (message || (commit ? shortCommit(commit) : "deployment")));
}
