import type { SettingValues } from "../../ui/pages/app-settings.tsx";
import type { EnvironmentSettings } from "../product/environments/settings.ts";

/** The settings that the page has fields for, as text by dotted name. */
const names = [
  "health.type",
  "health.path",
  "health.start_deadline_s",
  "health.interval_s",
  "health.timeout_s",
  "health.unhealthy_after",
  "limits.memory",
  "limits.cpus",
  "limits.pids",
  "port",
  "strategy",
  "drain_s",
  "stop_grace_s",
  "build_timeout_s",
  "access_log",
  "balance",
  "sticky",
  "idle_timeout_s",
  "wake_deadline_s",
] as const;

export function settingValues(settings: EnvironmentSettings): SettingValues {
  const flat: SettingValues = {};
  for (const name of names) {
    const [outer = "", inner] = name.split(".");
    const value = (settings as unknown as Record<string, unknown>)[outer];
    const leaf = inner === undefined ? value : (value as Record<string, unknown>)[inner];
    flat[name] = leaf === null || leaf === undefined ? "" : String(leaf);
  }
  return flat;
}

/** What differs from the present settings, nested as the operation wants it. An empty field means null. */
export function changesOf(settings: EnvironmentSettings, wanted: SettingValues): Record<string, unknown> {
  const present = settingValues(settings);
  const changes: Record<string, unknown> = {};
  for (const name of names) {
    const text = wanted[name]?.trim();
    if (text === undefined || text === present[name]) continue;
    const value = text === "" ? null : text;
    const [outer = "", inner] = name.split(".");
    if (inner === undefined) changes[outer] = value;
    else changes[outer] = { ...(changes[outer] as Record<string, unknown> | undefined), [inner]: value };
  }
  return changes;
}
