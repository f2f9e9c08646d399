import type { BuildOptions, BuildPlan, Choice } from "../../engine/build/plan.ts";
import type { Hooks } from "../environments/settings.ts";
import { type Hook, hookLine, postDeployHook, releaseHook } from "./hooks.ts";

export interface Decided {
  plan: BuildPlan;
  hooks: Hooks;
  options: Pick<BuildOptions, "secrets" | "public_args">;
  /** Names that app.json's defaults were written to. */
  defaults: string[];
  /** Nothing of the app was live before. */
  isFirst: boolean;
}

/** What was decided, each with where it came from, for the deployment's log. Names of config, never a value. */
export function planSummary({ plan, hooks, options, defaults, isFirst }: Decided): string[] {
  const facts = { ...plan.versions, "package manager": plan.package_manager, framework: plan.framework };
  const chosen = Object.entries(facts).filter(
    (entry): entry is [string, Choice<string>] => entry[1] !== null,
  );
  return [
    plan.stages.length === 0 && plan.dockerfile_path === null
      ? `Nothing to build: ${plan.evidence.join(", ")} is an image already`
      : `Building with ${plan.provider} (${plan.evidence.join(", ")})`,
    ...chosen.map(([name, choice]) => `  ${name} ${choice.value} (from ${choice.from})`),
    ...Object.entries(plan.processes).map(
      ([name, { command, from }]) =>
        `  ${name}: ${command?.join(" ") ?? "the image's own command"} (from ${from})`,
    ),
    ...hookLines(plan, hooks, isFirst),
    ...defaults.map((name) => `  config ${name}: ${how(plan, name)}`),
    ...buildSees(options),
    ...plan.warnings.map((warning) => `  note: ${warning}`),
  ];
}

function hookLines(plan: BuildPlan, hooks: Hooks, isFirst: boolean): string[] {
  const around = [
    releaseHook(hooks, plan.release_command),
    postDeployHook(hooks, plan.post_deploy, isFirst),
  ].filter((hook): hook is Hook => hook !== null);
  return [
    ...(plan.pre_build ? [`  pre_build: ${plan.pre_build.value} (from ${plan.pre_build.from})`] : []),
    ...around.map((hook) => `  ${hook.name}: ${hookLine(hook)} (from ${hook.from})`),
  ];
}

function how(plan: BuildPlan, name: string): string {
  return plan.config[name]?.generator === "secret"
    ? "a new secret, as app.json wants"
    : "the default of app.json";
}

function buildSees({ secrets, public_args }: Decided["options"]): string[] {
  const names = [
    ...Object.keys(public_args).map((name) => `${name} (public by its name)`),
    ...Object.keys(secrets).map((name) => `${name} (secret, from build.secrets)`),
  ];
  return names.length === 0 ? [] : [`  of the config the build sees ${names.join(", ")}`];
}
