import { realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { decodeTime } from "ulid";
import type { BuildPlan } from "../../engine/build/plan.ts";
import { FILES_PATH, needsContainer } from "../../engine/build/static-files.ts";
import type { ContainerRuntime } from "../../engine/runtime/container-runtime.ts";
import { directorySource } from "../../engine/site/directory-source.ts";
import type { SiteOptions } from "../../engine/site/site-rules.ts";
import { tarSource } from "../../engine/site/tar-source.ts";
import type { SiteContent, WrittenSite } from "../../engine/site/write-site.ts";
import { PermanentError } from "../../errors.ts";
import type { ErrorRecord } from "../../jobs/job.ts";
import type { Environment } from "../environments/environments.ts";
import type { EnvironmentSettings } from "../environments/settings.ts";
import type { DeploymentParts } from "./deployment-parts.ts";

/** Sites are named after the deployment that made them, so that an attempt finds what an earlier one finished. */
export function siteName(deploymentId: string): string {
  return deploymentId.toLowerCase();
}

/** Why the files of a static plan are served from a container nevertheless; null = the proxy serves them. */
export function containerReason(
  plan: BuildPlan,
  settings: EnvironmentSettings,
  volumes: number,
): string | null {
  if (plan.static !== null && settings.static.serve === "container") return "static.serve is container";
  if (volumes > 0) return "it has a volume";
  if (settings.hooks.release !== null || settings.hooks.post_deploy !== null) return "it has hooks";
  return needsContainer(plan);
}

/** How the files are served: as the person says, else as the plan found. */
function siteOptions(plan: BuildPlan, { static: own }: EnvironmentSettings): SiteOptions {
  return {
    index: own.index,
    spa: own.spa ?? plan.static?.spa.value ?? false,
    error_page: own.error_page,
    headers: own.headers,
    cache_control: own.cache_control,
  };
}

export interface SiteWork {
  parts: Pick<DeploymentParts, "sites">;
  plan: BuildPlan;
  settings: EnvironmentSettings;
  name: string;
  options: { signal: AbortSignal; like?: string | null; replace?: boolean };
}

/** A plain site, straight from the app's directory. */
export async function siteFromTree(work: SiteWork, tree: string): Promise<WrittenSite> {
  // Looked at only when there is something to write: an attempt that was killed may have written all and let go of it.
  return write(work, async (take) => {
    const directory = await insideTree(tree, work.plan.static?.root.value ?? ".");
    return directorySource(directory)(take);
  });
}

/** A site out of the image of its files; nothing of the image is started. */
export async function siteFromImage(
  work: SiteWork,
  { runtime, environment, image }: { runtime: ContainerRuntime; environment: Environment; image: string },
): Promise<WrittenSite> {
  const request = {
    name: filesContainer(work.name),
    image,
    path: FILES_PATH.slice(0, -1),
    labels: { app: environment.app, environment: environment.name, environment_id: environment.id },
  };
  return runtime.imageFiles(request, (tar) => write(work, tarSource(tar)), work.options.signal);
}

/** What the engine reads an image's files through; a killed attempt may leave it. */
export function filesContainer(site: string): string {
  return `diplo-files-${site}`;
}

async function write(
  { parts, plan, settings, name, options }: SiteWork,
  source: SiteContent["source"],
): Promise<WrittenSite> {
  // When its deployment was asked for: the same on every attempt, and when it is written again.
  const modifiedAt = decodeTime(name.toUpperCase());
  const content = { source, options: siteOptions(plan, settings), modifiedAt };
  return parts.sites.write(name, content, options);
}

/** A directory of the repository; a link that leads out of it is none. */
async function insideTree(tree: string, root: string): Promise<string> {
  const inside = await realpath(tree);
  const directory = await realpath(join(tree, root)).catch(() => null);
  if (directory === inside || directory?.startsWith(inside + sep)) return directory;
  throw new PermanentError("site_empty", `no directory "${root}" in the tree`, {
    detail: `The repository has no directory "${root}" to serve.`,
    hint: "Say which one holds the files: diplo apps:set --static.root public",
  });
}

const WARNINGS_SHOWN = 20;

/** What a deployment says although its site is live: which of its rules, links and files cannot be used. null = none. */
export function siteWarning(warnings: string[]): ErrorRecord | null {
  if (warnings.length === 0) return null;
  const more = warnings.length - WARNINGS_SHOWN;
  return {
    code: "site_incomplete",
    title: "some of the site cannot be used",
    detail: "The site is served without what is listed here.",
    evidence: [...warnings.slice(0, WARNINGS_SHOWN), ...(more > 0 ? [`and ${more} more, see the log`] : [])],
    hint: "Correct it and deploy again; docs/static.md says what is understood.",
  };
}
