import { escapeHtml } from "@kitajs/html";
import { CommandLine, Copyable } from "../components/copyable.tsx";
import { Empty } from "../components/empty.tsx";
import { pathTo } from "../components/escape.ts";
import { failureTitle } from "../components/failure-title.ts";
import { ActionButton } from "../components/form.tsx";
import { formatDuration } from "../components/format.ts";
import { jobState, State } from "../components/state.tsx";
import { TimeAgo } from "../components/time-ago.tsx";

export interface JobView {
  id: string;
  type: string;
  status: string;
  step: string;
  message: string;
  attempts: number;
  error: { code: string; title: string; detail: string; hint: string | null } | null;
  created_by: string;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** What it is about; null when that is gone. */
  app: string | null;
  deployment: string | null;
}

export interface JobsView {
  jobs: JobView[];
  filter: "open" | "failed" | "all";
  now: number;
}

const filters: { filter: JobsView["filter"]; text: string; href: string }[] = [
  { filter: "open", text: "Running and failed", href: "/jobs" },
  { filter: "failed", text: "Failed", href: "/jobs?show=failed" },
  { filter: "all", text: "All", href: "/jobs?show=all" },
];

/** Everything that takes longer than a request: deployments, drains, removals. */
export function JobsPage({ jobs, filter, now }: JobsView) {
  const here = filters.find((each) => each.filter === filter)?.href ?? "/jobs";
  return (
    <div id="page">
      <h1>Jobs</h1>
      <nav class="tabs" aria-label="Which jobs">
        {filters.map((each) => (
          <a href={each.href} aria-current={each.filter === filter ? "page" : undefined} safe>
            {each.text}
          </a>
        ))}
      </nav>
      <div id="live" hx-get={here} hx-trigger="every 3s" hx-select="#live" hx-swap="outerMorph">
        {jobs.length === 0 ? (
          <Empty title={filter === "open" ? "Nothing runs, nothing failed." : "No job here."}>
            <p>Deployments, drains and other long work appear here while they run, and when they fail.</p>
          </Empty>
        ) : (
          <table class="rows jobs">
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Job</th>
                <th scope="col">Now</th>
                <th scope="col">Since</th>
                <th scope="col">
                  <span class="away">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {jobs.map((job) => (
                <JobRow job={job} now={now} />
              ))}
            </tbody>
          </table>
        )}
      </div>
      <CommandLine command="diplo jobs" />
    </div>
  );
}

function JobRow({ job, now }: { job: JobView; now: number }) {
  const open = job.status === "queued" || job.status === "running";
  return (
    <tr>
      <td>
        <State {...jobState(job.status)} />
      </td>
      <th scope="row">
        {job.deployment ? (
          <a href={pathTo`/deployments/${job.deployment}`} safe>
            {job.type}
          </a>
        ) : (
          escapeHtml(job.type)
        )}
        {job.app ? (
          <>
            {" of "}
            <a href={pathTo`/apps/${job.app}`} safe>
              {job.app}
            </a>
          </>
        ) : null}
        <span class="sub">
          <Copyable value={job.id} show={`…${job.id.slice(-8)}`} label="the job's id" />
        </span>
      </th>
      <td>
        <JobProgress job={job} open={open} />
      </td>
      <td>
        <TimeAgo at={job.created_at} now={now} />
        <span class="sub" safe>{`by ${job.created_by}${tookWords(job)}`}</span>
      </td>
      <td class="end">
        {open ? (
          <ActionButton action={pathTo`/jobs/${job.id}/cancel`} text="Cancel" busy="Cancelling…" />
        ) : null}
      </td>
    </tr>
  );
}

function JobProgress({ job, open }: { job: JobView; open: boolean }) {
  if (job.error) {
    return (
      <>
        <span class="bad" safe>
          {failureTitle(job.error)}
        </span>
        <span class="sub" safe>
          {job.error.detail}
        </span>
        {job.error.hint ? (
          <span class="sub" safe>
            {job.error.hint}
          </span>
        ) : null}
      </>
    );
  }
  if (!open) return <span class="faint">–</span>;
  return (
    <>
      <span safe>{job.message || job.step}</span>
      {job.attempts > 1 ? <span class="sub" safe>{`attempt ${job.attempts}`}</span> : null}
    </>
  );
}

function tookWords(job: JobView): string {
  if (!job.started_at || !job.finished_at) return "";
  return `, took ${formatDuration(Date.parse(job.finished_at) - Date.parse(job.started_at))}`;
}
