import type { Deployment, DeploymentStep } from "../product/deployments/deployment.ts";
import type { Paint } from "./colour.ts";
import { duration } from "./readable.ts";
import { safe } from "./table.ts";

interface Moment {
  deployment: Deployment;
  /** The build's latest line, "" for none. */
  lastLine: string;
  /** Unix milliseconds of the box: what the step times are measured by. */
  now: number;
  columns: number;
  paint: Paint;
}

/** One line of a terminal: `14s  fetching ✓ 0.4s · building 12s │ npm ci`, never wider than `columns`. */
export function progressLine({ deployment, lastLine, now, columns, paint }: Moment): string {
  const elapsed = duration(Math.max(0, now - Date.parse(deployment.created_at)));
  const phases = deployment.steps.filter(begun).map((step) => phase(step, now, paint));
  const head = `${elapsed}  `;
  const line = head + fitting(phases.length > 0 ? phases : [deployment.status], columns - head.length - 1);
  const room = columns - Bun.stringWidth(line) - 4;
  const tail = safe(Bun.stripANSI(lastLine || deployment.message)).trim();
  return tail && room >= 12 ? `${line} ${paint("dim", `│ ${cut(tail, room)}`)}` : line;
}

/** What changed between two looks, one line each, for logs and pipes. */
export function plainLines(before: Deployment | null, after: Deployment): string[] {
  const lines: string[] = [];
  if (before?.status !== "queued" && after.status === "queued") lines.push("queued");
  for (const step of after.steps) {
    const known = before?.steps.find(({ name }) => name === step.name)?.status ?? "pending";
    if (step.status === known) continue;
    if (step.status === "running") lines.push(step.name);
    if (step.status === "done") lines.push(`${step.name} done in ${duration(step.duration_ms ?? 0)}`);
    if (step.status === "failed") lines.push(`${step.name} failed after ${duration(step.duration_ms ?? 0)}`);
  }
  return lines;
}

/** Whether nothing more will come. */
export function isOver({ status }: Deployment): boolean {
  return status === "success" || status === "failed" || status === "cancelled" || status === "superseded";
}

const begun = ({ status }: DeploymentStep): boolean =>
  status === "running" || status === "done" || status === "failed";

function phase(step: DeploymentStep, now: number, paint: Paint): string {
  if (step.status === "done") return `${step.name} ${paint("green", "✓")} ${duration(step.duration_ms ?? 0)}`;
  if (step.status === "failed") return `${step.name} ${paint("red", "✗")} ${duration(step.duration_ms ?? 0)}`;
  const since = step.started_at ? Math.max(0, now - Date.parse(step.started_at)) : 0;
  return paint("bold", `${step.name} ${duration(since)}`);
}

/** As many of the latest phases as fit; what was left out shows as an ellipsis. */
function fitting(phases: string[], columns: number): string {
  for (let from = 0; from < phases.length; from++) {
    const text = (from > 0 ? "… · " : "") + phases.slice(from).join(" · ");
    if (Bun.stringWidth(text) <= columns) return text;
  }
  return cut(Bun.stripANSI(phases.at(-1) ?? ""), Math.max(1, columns));
}

function cut(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text;
  let kept = "";
  let width = 1; // the ellipsis
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += Bun.stringWidth(segment);
    if (width > columns) break;
    kept += segment;
  }
  return `${kept}…`;
}
