import type { Job } from "../product/jobs/job-body.ts";
import type { CliContext } from "./cli-context.ts";
import { EXIT } from "./exit-code.ts";
import { resumedEvents } from "./resumed-events.ts";
import { explain } from "./views/explain.ts";

/** Waits for a job's end, telling what it does as it changes. Leaving cancels nothing. */
export async function followJob(id: string, { io, box, paintErr }: CliContext): Promise<number> {
  const leaving = new AbortController();
  using _interrupt = io.onInterrupt(() => leaving.abort());
  let told = "";
  for await (const { data } of resumedEvents(box, { path: `/jobs/${id}/events` }, leaving)) {
    const job = JSON.parse(data) as Job;
    const text = job.message || job.step;
    if (text !== told && job.finished_at === null) io.err(`${text}\n`);
    told = text;
    if (job.status === "succeeded") {
      io.err("Done.\n");
      return EXIT.ok;
    }
    if (job.finished_at !== null) {
      io.err(job.error ? explain(job.error, paintErr) : `the job was ${job.status}\n`);
      return EXIT.failed;
    }
  }
  io.err("The job goes on without us.\n");
  return EXIT.cancelled;
}
