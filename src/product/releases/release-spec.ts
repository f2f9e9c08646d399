import type { BuildPlan } from "../../engine/build/plan.ts";
import type { EnvironmentSettings } from "../environments/settings.ts";

/** Everything a release is made of, immutable (design.md §1). Never domains, traffic or scale. */
export interface ReleaseSpec {
  /** `pinned`: name and digest of an image that was pulled instead of built. null = the proxy serves `site`. */
  image: { tag: string; id: string; pinned?: string } | null;
  /** Files that the data plane serves as the web process, by the name of their directory; null = containers run. */
  site: string | null;
  provider: string;
  /** The image is ours and may run with all capabilities dropped. */
  hardened: boolean;
  processes: Record<string, ReleaseProcess>;
  /** The repository's own; the app's setting hooks.release wins. */
  release_command: string[] | null;
  /** Where it comes from; releases of older versions do not say. */
  release_from?: string;
  /** The repository's own, to run when it is live. */
  post_deploy?: BuildPlan["post_deploy"];
  /** Variables of the plan; the person's config wins over them. */
  env: Record<string, string>;
  /** Config names and the versions this release runs with. */
  config: Record<string, number>;
  /** PORT of the web process. */
  port: number;
  settings: EnvironmentSettings;
  mounts: ReleaseMount[];
  commit: string | null;
}

export interface ReleaseProcess {
  /** null = the image's own command. */
  command: string[] | null;
  from: string;
}

export interface ReleaseMount {
  /** The volume's name at the engine. */
  volume: string;
  /** `*` = every process. */
  process: string;
  path: string;
  read_only: boolean;
}

/** Two releases never share one writable directory, so such a process is stopped before the next one starts. */
export function strategyOf(spec: ReleaseSpec, process: string): "rolling" | "recreate" {
  if (spec.site !== null) return "rolling";
  const writable = mountsOf(spec, process).some((mount) => !mount.read_only);
  return writable ? "recreate" : spec.settings.strategy;
}

export function mountsOf(spec: ReleaseSpec, process: string): ReleaseMount[] {
  return spec.mounts.filter((mount) => mount.process === "*" || mount.process === process);
}

/** `512m` → bytes. */
export function bytesOf(size: string): number {
  const unit = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[size.at(-1) ?? ""];
  return unit === undefined ? Number(size) : Number(size.slice(0, -1)) * unit;
}

/** Settings that running instances carry; the others count from the next build or drain on. */
export function ofRelease({ port, health, limits, strategy, stop_grace_s }: EnvironmentSettings) {
  return { port, health, limits, strategy, stop_grace_s };
}
