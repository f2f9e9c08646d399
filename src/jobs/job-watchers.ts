import type { JobRow } from "./job.ts";
import { isOver } from "./job-table.ts";

/** Who waits for a job's end, who follows its log, and what it says of itself right now (never written to disk). */
export class JobWatchers {
  private readonly followers = new Map<string, Set<() => void>>();
  private readonly waiters = new Map<string, Set<(job: JobRow) => void>>();
  private readonly live = new Map<string, { message: string; fraction: number }>();

  constructor(private readonly find: (id: string) => JobRow | null) {}

  /** Called whenever lines were appended to the job's log, its message changed, and when it ended. */
  follow(id: string, listener: () => void): Disposable {
    const set = this.followers.get(id) ?? new Set();
    this.followers.set(id, set.add(listener));
    return {
      [Symbol.dispose]: () => {
        set.delete(listener);
        if (set.size === 0) this.followers.delete(id);
      },
    };
  }

  /** The job when it has ended; the signal only ends the waiting. */
  untilEnd(id: string, signal?: AbortSignal): Promise<JobRow> {
    return new Promise((resolve, reject) => {
      const set = this.waiters.get(id) ?? new Set();
      this.waiters.set(id, set.add(resolve));
      signal?.addEventListener("abort", () => {
        set.delete(resolve);
        reject(signal.reason);
      });
    });
  }

  report(id: string, message: string, fraction: number): void {
    this.live.set(id, { message, fraction });
    this.tell(id);
  }

  silence(id: string): void {
    this.live.delete(id);
  }

  withLive(job: JobRow): JobRow {
    const live = this.live.get(job.id);
    return live ? { ...job, message: live.message, progress: live.fraction } : job;
  }

  tell(id: string): void {
    for (const listener of this.followers.get(id) ?? []) listener();
  }

  /** Tells waiters and followers once the transaction that ended the job is committed. */
  ended(id: string): void {
    queueMicrotask(() => {
      const job = this.find(id);
      if (!job || !isOver(job.status)) return;
      for (const resolve of this.waiters.get(id) ?? []) resolve(job);
      this.waiters.delete(id);
      this.tell(id);
    });
  }
}
