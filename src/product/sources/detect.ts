import { type Static, Type as t } from "@sinclair/typebox";
import { type NeededConfig, neededConfig } from "../../engine/build/needed-config.ts";
import type { BuildOptions, BuildPlan } from "../../engine/build/plan.ts";
import { DEFAULT_BUILD_OPTIONS, planTree } from "../../engine/build/plan-build.ts";
import type { SourceTree } from "../../engine/build/tree.ts";

/** What a tree would become, told before anything is built. */
export const Detected = t.Object({
  provider: t.String(),
  /** Label, value and where it came from, e.g. `Node`, `22`, `engines.node in package.json`. */
  findings: t.Array(t.Object({ label: t.String(), value: t.String(), from: t.String() })),
  /** From app.json, else an example of a .env file. */
  config: t.Array(
    t.Object({
      name: t.String(),
      value: t.String({ description: "The repository's own default; empty = none" }),
      description: t.String(),
      required: t.Boolean(),
      secret: t.Boolean({ description: "Its name says that nobody should read along" }),
      generated: t.Boolean({ description: "Left empty, the repository wants a random one made" }),
      pattern: t.Union([t.String(), t.Null()], {
        description: "What a value must match, as the repository says",
      }),
      from: t.String(),
    }),
  ),
  warnings: t.Array(t.String()),
});
export type Detected = Static<typeof Detected>;

/** Throws what `planTree` throws: `nothing_detected`, `compose_not_supported` … */
export async function detect(
  tree: SourceTree,
  options: BuildOptions = DEFAULT_BUILD_OPTIONS,
): Promise<Detected> {
  const [plan, config] = await Promise.all([planTree(tree, options), neededConfig(tree)]);
  return {
    provider: plan.provider,
    findings: findings(plan),
    config: config.map(asked),
    warnings: plan.warnings,
  };
}

const SECRET = /SECRET|TOKEN|PASSW|PRIVATE|CREDENTIAL|SALT|(^|_)(KEY|PASS|DSN)(_|$)|API_?KEY/i;

function asked({ name, value, description, required, generator, pattern, from }: NeededConfig) {
  return {
    name,
    value: value ?? "",
    description: description ?? "",
    // An example of a .env file shows what there is; it demands nothing.
    required: required && from === "app.json",
    secret: SECRET.test(name),
    generated: generator === "secret",
    pattern,
    from,
  };
}

function findings(plan: BuildPlan): Detected["findings"] {
  const found = [{ label: "Builder", value: plan.provider, from: plan.evidence.join(", ") }];
  for (const [label, choice] of Object.entries(plan.versions))
    found.push({ label, value: choice.value, from: choice.from });
  if (plan.package_manager) found.push({ label: "Package manager", ...plan.package_manager });
  if (plan.framework) found.push({ label: "Framework", ...plan.framework });
  for (const [name, { command, from }] of Object.entries(plan.processes))
    found.push({ label: `Process ${name}`, value: command?.join(" ") ?? "the image's own command", from });
  if (plan.release_command)
    found.push({
      label: "Before it goes live",
      value: plan.release_command.value.join(" "),
      from: plan.release_command.from,
    });
  if (plan.static)
    found.push({ label: "Served from", value: plan.static.root.value, from: plan.static.root.from });
  if (plan.port) found.push({ label: "Port", value: String(plan.port.value), from: plan.port.from });
  return found;
}
