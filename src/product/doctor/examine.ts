import { terse } from "../../errors.ts";
import type { DoctorCheck } from "./check.ts";
import { fault } from "./check.ts";

export interface Report {
  status: DoctorCheck["status"];
  checks: DoctorCheck[];
}

/** null = there is nothing to say of it here. */
export type Examination = () => Promise<DoctorCheck | null> | DoctorCheck | null;

const DEADLINE_MS = 10_000;

/** Runs all checks at once. One that throws or hangs is a fault of its own and holds up no other. */
export async function examine(
  checks: Record<string, Examination>,
  deadlineMs = DEADLINE_MS,
): Promise<Report> {
  const found = await Promise.all(
    Object.entries(checks).map(([name, check]) => settled(name, check, deadlineMs)),
  );
  const present = found.filter((check) => check !== null);
  const statuses = new Set(present.map(({ status }) => status));
  return {
    status: statuses.has("fault") ? "fault" : statuses.has("warning") ? "warning" : "ok",
    checks: present,
  };
}

async function settled(name: string, check: Examination, deadlineMs: number): Promise<DoctorCheck | null> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs / 1000} s`)), deadlineMs);
  try {
    return await Promise.race([(async () => check())(), late]);
  } catch (error) {
    return fault(name, `It could not be examined: ${terse(error)}`, "Diplo's log tells more.");
  } finally {
    clearTimeout(timer);
  }
}
