import type { DoctorCheck } from "../../product/doctor/check.ts";
import { duration, size } from "../readable.ts";
import { pairs, safe, table } from "../table.ts";
import type { View } from "./view-facts.ts";

export const doctorReport: View<{ status: string; checks: DoctorCheck[] }> = (
  { status, checks },
  { paint },
) => {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const lines = checks.flatMap((check) => {
    const mark = { ok: paint("green", "✓"), warning: paint("yellow", "!"), fault: paint("red", "✗") }[
      check.status
    ];
    const line = `${mark} ${check.name.padEnd(width)}  ${safe(check.detail)}`;
    return check.remedy && check.status !== "ok"
      ? [line, `  ${" ".repeat(width)}  → ${safe(check.remedy)}`]
      : [line];
  });
  const faults = checks.filter((check) => check.status === "fault").length;
  const warnings = checks.filter((check) => check.status === "warning").length;
  const sum = status === "ok" ? "All is well." : `${count(faults, "fault")}, ${count(warnings, "warning")}.`;
  return `${[...lines, "", sum].join("\n")}\n`;
};

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

interface Size {
  total_bytes: number;
  used_bytes: number;
  free_bytes: number;
}

interface Stats {
  apps: number;
  running: number;
  ports_used: number;
  disk: Size;
  memory: Size;
  load: number[];
  cpus: number;
  temperature_c: number | null;
  uptime_s: number;
  queue: number;
}

export const systemStats: View<Stats> = (stats) =>
  pairs([
    ["apps", `${stats.apps}, ${stats.running} running, ${stats.ports_used} ports taken`],
    ["disk", used(stats.disk)],
    ["memory", used(stats.memory)],
    ["load", `${stats.load.map((load) => load.toFixed(2)).join(" ")} on ${count(stats.cpus, "core")}`],
    ...(stats.temperature_c === null
      ? []
      : [["temperature", `${stats.temperature_c.toFixed(0)} °C`] as const]),
    ["up", duration(stats.uptime_s * 1000)],
    ["waiting", count(stats.queue, "job")],
  ]);

const used = ({ used_bytes, total_bytes, free_bytes }: Size): string =>
  `${size(used_bytes)} of ${size(total_bytes)} used, ${size(free_bytes)} free`;

interface RuntimeRow {
  type: string;
  address: string;
  version: string;
  available: boolean;
  reason: string | null;
  warnings: string[];
}

export const runtimeList: View<RuntimeRow[]> = (runtimes, { paint }) => {
  if (runtimes.length === 0) return "No engine found.\n";
  return table(
    [
      { title: "RUNTIME", cell: ({ type }) => type },
      { title: "USABLE", cell: ({ available }) => (available ? paint("green", "yes") : "no") },
      { title: "VERSION", cell: ({ version }) => version || "-" },
      { title: "ADDRESS", cell: ({ address }) => address },
      {
        title: "NOTE",
        cell: ({ reason, warnings }) => [reason, ...warnings].filter(Boolean).join("; ") || "-",
      },
    ],
    runtimes,
  );
};
