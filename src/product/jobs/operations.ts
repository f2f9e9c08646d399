import { Type as t } from "@sinclair/typebox";
import { operation } from "../../operation.ts";
import { Page } from "../schema.ts";
import { Job, jobBody } from "./job-body.ts";

export const list = operation({
  verb: "jobs",
  method: "GET",
  path: "/jobs",
  summary: "Everything long-running, newest first",
  input: t.Object({
    status: t.Optional(t.String({ description: "Only those of this state, as in running" })),
    ...Page,
  }),
  output: t.Array(Job),
  permission: "apps:read",
  run: ({ input }, { jobs }) => jobs.list(input).map(jobBody),
});

export const info = operation({
  verb: "jobs:info",
  method: "GET",
  path: "/jobs/:job",
  summary: "One job",
  input: t.Object({ job: t.String() }),
  output: Job,
  permission: "apps:read",
  args: ["job"],
  run: ({ input }, { jobs }) => jobBody(jobs.get(input.job)),
});

export const cancel = operation({
  verb: "jobs:cancel",
  method: "POST",
  path: "/jobs/:job/cancel",
  summary: "Ask a job to stop and undo what it made",
  input: t.Object({
    job: t.String(),
    reason: t.Optional(t.String({ maxLength: 500, description: "Why, for the log" })),
  }),
  output: Job,
  permission: "deploy",
  audit: "job.cancelled",
  args: ["job"],
  run: ({ input, actor }, { jobs }) => jobBody(jobs.cancel(input.job, input.reason || `by ${actor.name}`)),
});
