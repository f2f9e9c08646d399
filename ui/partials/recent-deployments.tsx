import { pathTo } from "../components/escape.ts";
import { firstLine, shortCommit } from "../components/format.ts";
import { deploymentState, State } from "../components/state.tsx";
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
}

export function RecentDeployments({
  recent,
  path,
  now,
}: {
  recent: RecentDeployment[];
  path: string;
  now: number;
}) {
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
                  <span safe>{` by ${deployment.created_by}`}</span>
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
