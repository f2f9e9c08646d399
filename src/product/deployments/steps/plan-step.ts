import { readAppJson } from "../../../engine/build/app-json.ts";
import { openDirectoryTree } from "../../../engine/build/directory-tree.ts";
import { imagePlan } from "../../../engine/build/image-plan.ts";
import type { BuildPlan } from "../../../engine/build/plan.ts";
import { DEFAULT_BUILD_OPTIONS, planTree } from "../../../engine/build/plan-build.ts";
import { largestSize } from "../../../engine/build/process-size.ts";
import { withFilesRoot } from "../../../engine/build/static-files.ts";
import type { Step } from "../../../jobs/job.ts";
import type { Environment } from "../../environments/environments.ts";
import { DEFAULT_SETTINGS } from "../../environments/settings.ts";
import { containerReason } from "../build-site.ts";
import { buildConfigNames, buildOptions } from "../build-values.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
import { planSummary } from "../plan-summary.ts";
import { defaultsOf } from "../wanted-config.ts";
import { checkoutOf } from "./fetch-step.ts";

/** Reads the tree, decides how it becomes an image, and sets of app.json's config what nobody set. */
export function planStep(parts: DeploymentParts): Step<DeploymentState> {
  return {
    deadlineMs: 60_000,
    async run({ state, log, progress }) {
      progress("looking at the source");
      const environment = parts.environments.byId(state.environment_id);
      const { plan, options, defaults } = state.image
        ? { plan: imagePlan(state.image), options: DEFAULT_BUILD_OPTIONS, defaults: {} }
        : await planned(parts, environment, state);
      const isFirst = parts.releases.lastLive(environment.id) === null;
      const { hooks } = environment.settings;
      for (const line of planSummary({ plan, hooks, options, defaults: Object.keys(defaults), isFirst }))
        log.line(line);
      const volumes = parts.volumes.releaseMounts(environment.id).length;
      const reason = containerReason(plan, environment.settings, volumes);
      if (plan.static !== null)
        log.line(
          reason === null
            ? "  served by the proxy, without a container"
            : `  served from a container: ${reason}`,
        );
      const limits = isFirst ? firstLimits(environment, plan) : null;
      if (limits) log.line(`  memory ${limits.memory}, ${limits.cpus} cpus (from formation in app.json)`);
      return {
        next: "building",
        state: { plan },
        evidence: { provider: plan.provider },
        apply: () => {
          parts.config.offer(environment, defaults, state.by);
          if (limits)
            parts.environments.changeSettings(environment.id, {
              ...environment.settings,
              limits: { ...environment.settings.limits, ...limits },
            });
          const versions = parts.config.versions(environment.id);
          const seen = buildConfigNames(options).filter((name) => versions[name] !== undefined);
          return { build_config: Object.fromEntries(seen.map((name) => [name, versions[name] as number])) };
        },
      };
    },
  };
}

async function planned(parts: DeploymentParts, environment: Environment, state: DeploymentState) {
  const { root, subdirectory } = checkoutOf(state);
  const tree = await openDirectoryTree(root, subdirectory);
  await parts.vault.ready();
  const config = parts.config.values(environment, parts.config.versions(environment.id));
  const everSet = parts.config.everSet(environment.id);
  const defaults = defaultsOf({
    environment,
    wanted: (await readAppJson(tree)).env,
    config,
    wasSet: (name) => everSet.has(name),
    generate: () => parts.vault.randomHex(),
  });
  const options = buildOptions(environment, { ...defaults, ...config });
  const plan = withFilesRoot(await planTree(tree, options), environment.settings.static.root);
  return { plan, options, defaults };
}

/** The size that app.json wants, unless a person chose one. */
function firstLimits({ settings }: Environment, { formation }: BuildPlan) {
  const size = largestSize(formation)?.size;
  if (size === undefined || !Bun.deepEquals(settings.limits, DEFAULT_SETTINGS.limits)) return null;
  return size;
}
