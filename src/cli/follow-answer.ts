import type { CliContext } from "./cli-context.ts";
import { followDeployment } from "./follow-deployment.ts";
import { followJob } from "./follow-job.ts";

/** Follows whatever deployment or job an answer names, to its end. Answers the exit code; 0 when it names none. */
export async function followAnswer(answer: unknown, context: CliContext, verbose: boolean): Promise<number> {
  const { deployment_id, job_id, steps, id } = (answer ?? {}) as Record<string, unknown>;
  if (typeof deployment_id === "string") return followDeployment(deployment_id, context, verbose);
  if (Array.isArray(steps) && typeof id === "string") return followDeployment(id, context, verbose);
  if (typeof job_id === "string") return followJob(job_id, context);
  return 0;
}
