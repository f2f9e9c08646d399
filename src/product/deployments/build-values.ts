import type { BuildOptions } from "../../engine/build/plan.ts";
import { isPublicName } from "../../engine/build/public-config.ts";
import { PermanentError } from "../../errors.ts";
import { type Environment, refOf } from "../environments/environments.ts";

/**
 * What a build is made with: the environment's settings, and of its config what the build may see. That is what
 * `build.secrets` names, mounted and never kept, and what frameworks mark as public by its prefix, as arguments.
 * Throws `config_missing` for a named secret that nobody set.
 */
export function buildOptions(environment: Environment, config: Record<string, string>): BuildOptions {
  const { build, hooks } = environment.settings;
  const { mode, buildpack, dockerfile_path, context, target, args, env } = build;
  const secrets = pick(config, build.secrets);
  const missing = build.secrets.filter((name) => !Object.hasOwn(secrets, name));
  if (missing.length > 0) throw secretMissing(environment, missing);
  const isPublic = (name: string) =>
    isPublicName(name) && !Object.hasOwn(args, name) && !Object.hasOwn(secrets, name);
  return {
    mode,
    buildpack,
    dockerfile_path,
    context,
    target,
    args,
    env,
    secrets,
    public_args: pick(config, Object.keys(config).filter(isPublic)),
    pre_build:
      hooks.pre_build === null ? null : { value: hooks.pre_build, from: "the app's setting hooks.pre_build" },
  };
}

/** Names of config variables that a build sees. */
export function buildConfigNames({
  secrets,
  public_args,
}: Pick<BuildOptions, "secrets" | "public_args">): string[] {
  return [...Object.keys(secrets), ...Object.keys(public_args)].sort();
}

/** Those of the values that have one of these names. */
export function pick(config: Record<string, string>, names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(config, name)).map((name) => [name, config[name] as string]),
  );
}

function secretMissing(environment: Environment, names: string[]): PermanentError {
  const app = refOf(environment);
  return new PermanentError("config_missing", `build.secrets names ${names.join(", ")}, which is not set`, {
    detail: `The build is to read ${names.join(", ")} (build.secrets), and the config has no such variable. Nothing was built.`,
    hint: `diplo config:set -a ${app} ${names.map((name) => `${name}=…`).join(" ")}, and deploy again.`,
  });
}
