import { joinRef } from "../../product/apps/app-name.ts";
import type { Deployment } from "../../product/deployments/deployment.ts";
import type { Job } from "../../product/jobs/job-body.ts";
import { paintState } from "../colour.ts";
import { ago, duration, shortCommit } from "../readable.ts";
import { pairs, table } from "../table.ts";
import { explain, warn } from "./explain.ts";
import type { View } from "./view-facts.ts";

const appOf = ({ app, environment }: Deployment): string => joinRef(app, environment);

export const deploymentList: View<Deployment[]> = (deployments, { paint, now }) => {
  if (deployments.length === 0) return "No deployments yet.\n";
  return table<Deployment>(
    [
      { title: "DEPLOYMENT", cell: ({ id }) => id },
      { title: "APP", cell: appOf },
      {
        title: "STATE",
        cell: ({ status, step }) =>
          paintState(paint, status) + (status === "deploying" || status === "building" ? ` (${step})` : ""),
      },
      { title: "RELEASE", cell: ({ release }) => (release === null ? "-" : `v${release}`) },
      { title: "COMMIT", cell: ({ commit }) => shortCommit(commit) },
      { title: "WHEN", cell: ({ created_at }) => ago(created_at, now) },
      { title: "WHO", cell: ({ created_by, trigger }) => `${created_by} (${trigger})` },
    ],
    deployments,
  );
};

export const deploymentInfo: View<Deployment> = (deployment, { paint, now }) => {
  const facts: [string, string][] = [
    ["deployment", deployment.id],
    ["app", appOf(deployment)],
    [
      "state",
      `${paintState(paint, deployment.status)}${deployment.message ? `: ${deployment.message}` : ""}`,
    ],
    ["release", deployment.release === null ? "-" : `v${deployment.release}`],
    ["commit", `${shortCommit(deployment.commit)}  ${deployment.commit_message ?? ""}`],
    ["asked", `${ago(deployment.created_at, now)} by ${deployment.created_by} (${deployment.trigger})`],
    ["job", deployment.job_id],
  ];
  const steps = deployment.steps.map(
    (step) =>
      [
        step.name,
        `${step.status}${step.duration_ms === null ? "" : `  ${duration(step.duration_ms)}`}`,
      ] as const,
  );
  const why = deployment.error ? `\n${explain(deployment.error, paint)}` : "";
  const warnings = deployment.warnings.map((warning) => `\n${warn(warning, paint)}`).join("");
  return `${pairs(facts)}${steps.length > 0 ? `\n${pairs(steps)}` : ""}${why}${warnings}`;
};

export const jobList: View<Job[]> = (jobs, { paint, now }) => {
  if (jobs.length === 0) return "No jobs yet.\n";
  return table<Job>(
    [
      { title: "JOB", cell: ({ id }) => id },
      { title: "TYPE", cell: ({ type }) => type },
      { title: "STATE", cell: ({ status }) => paintState(paint, status) },
      { title: "STEP", cell: ({ step }) => step },
      { title: "WHEN", cell: ({ created_at }) => ago(created_at, now) },
      { title: "MESSAGE", cell: ({ error, message }) => error?.title ?? message },
    ],
    jobs,
  );
};
