import { formatCount } from "./format.ts";

export interface RequestsInSlot {
  /** Unix ms. */
  start: number;
  requests: number;
  errors: number;
}

const width = 120;
const height = 24;

/** Requests over time as a small drawing; the figures stand in its title. Nothing measured yet draws nothing. */
export function Sparkline({ slots, span }: { slots: RequestsInSlot[]; span: string }) {
  const total = slots.reduce((sum, slot) => sum + slot.requests, 0);
  if (total === 0) return <span class="faint">no requests</span>;
  const errors = slots.reduce((sum, slot) => sum + slot.errors, 0);
  const peak = Math.max(...slots.map((slot) => slot.requests), 1);
  const step = width / slots.length;
  const y = (count: number) => (height - 1 - (count / peak) * (height - 3)).toFixed(1);
  const line = slots.map((slot, i) => `${(i * step).toFixed(1)},${y(slot.requests)}`).join(" ");
  const words = `${formatCount(total)} requests in ${span}, ${formatCount(errors)} failed`;
  const bars = slots
    .map((slot, i) => (slot.errors > 0 ? errorBar(i * step, step, Number(y(slot.errors))) : ""))
    .join("");
  return (
    `<svg class="spark" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${words}">` +
    `<title>${words}</title>` +
    `<polygon points="0,${height} ${line} ${width},${height}"/><polyline points="${line}"/>${bars}</svg>`
  );
}

function errorBar(x: number, step: number, top: number): string {
  const barWidth = Math.max(1, step - 0.5).toFixed(1);
  return `<rect x="${x.toFixed(1)}" y="${top}" width="${barWidth}" height="${(height - top).toFixed(1)}"/>`;
}
