import { formatDuration } from "./format.ts";
import { Icon, type IconName } from "./icon.tsx";

export interface PhaseView {
  name: string;
  status: "pending" | "running" | "done" | "failed" | "skipped";
  started_at: string | null;
  duration_ms: number | null;
}

export interface PhaseBarProps {
  phases: PhaseView[];
  /** The last deployment that went live, to compare with; null = there is none. */
  previous: PhaseView[] | null;
  now: number;
}

const icons: Record<PhaseView["status"], IconName> = {
  pending: "waiting",
  running: "working",
  done: "done",
  failed: "failed",
  skipped: "skipped",
};

/** The phases as a bar, each as long as it took, the previous deployment on the same scale under it, then the figures. */
export function PhaseBar({ phases, previous, now }: PhaseBarProps) {
  const total = Math.max(sum(phases, now), previous ? sum(previous, now) : 0, 1);
  return (
    <>
      {strip(phases, total, now, "bar") as "safe"}
      {previous ? (strip(previous, total, now, "bar previous") as "safe") : null}
      <ol class="phases">
        {phases.map((phase) => (
          <Phase
            phase={phase}
            before={previous?.find((other) => other.name === phase.name) ?? null}
            now={now}
          />
        ))}
      </ol>
    </>
  );
}

function Phase({ phase, before, now }: { phase: PhaseView; before: PhaseView | null; now: number }) {
  const running = phase.status === "running" && phase.started_at !== null;
  const took = elapsed(phase, now);
  return (
    <li class={`phase ${phase.status}`} aria-current={phase.status === "running" ? "step" : undefined}>
      <Icon name={icons[phase.status]} />
      <span class="phase-name" safe>
        {phase.name}
      </span>
      <span class="away">{phase.status}</span>
      <span
        class="took"
        data-since={running ? new Date(phase.started_at as string).toISOString() : undefined}
        safe
      >
        {took > 0 ? formatDuration(took) : "–"}
      </span>
      <span class="was" safe>
        {before?.duration_ms ? `was ${formatDuration(before.duration_ms)}` : ""}
      </span>
    </li>
  );
}

function strip(phases: PhaseView[], total: number, now: number, className: string): string {
  let x = 0;
  const segments = phases.map((phase, i) => {
    const width = (elapsed(phase, now) / total) * 1000;
    const rect = `<rect class="p${i % 7} ${phase.status}" x="${x.toFixed(1)}" y="0" width="${Math.max(0, width - 2).toFixed(1)}" height="10"/>`;
    x += width;
    return width > 0 ? rect : "";
  });
  return `<svg class="${className}" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">${segments.join("")}</svg>`;
}

function elapsed(phase: PhaseView, now: number): number {
  if (phase.duration_ms !== null) return phase.duration_ms;
  return phase.status === "running" && phase.started_at ? Math.max(0, now - Date.parse(phase.started_at)) : 0;
}

const sum = (phases: PhaseView[], now: number) => phases.reduce((ms, phase) => ms + elapsed(phase, now), 0);
