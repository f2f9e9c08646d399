import type { BuildPlan, Choice } from "./plan.ts";
import { renderDockerfile } from "./render-dockerfile.ts";
import { needsContainer } from "./static-files.ts";

/** The plan for a person: each choice, where it came from, and the Dockerfile. */
export function describePlan(plan: BuildPlan): string {
  const rows: [string, string][] = [["provider", `${plan.provider}  (${plan.evidence.join(", ")})`]];
  for (const [name, version] of Object.entries(plan.versions)) rows.push([name, told(version)]);
  if (plan.package_manager) rows.push(["packages", told(plan.package_manager)]);
  if (plan.framework) rows.push(["framework", told(plan.framework)]);
  if (plan.context !== null) rows.push(["context", plan.context || "the whole repository"]);
  if (plan.directory) rows.push(["directory", plan.directory]);
  if (plan.build_image) rows.push(["build image", told(plan.build_image)]);
  if (plan.run_image) rows.push(["run image", told(plan.run_image)]);
  if (plan.static)
    rows.push(
      ["files", told(plan.static.root)],
      ["single page", told(plan.static.spa)],
      ["served by", servedBy(plan)],
    );
  for (const [name, { command, from }] of Object.entries(plan.processes)) {
    if (plan.static !== null && name === "web") continue;
    rows.push([name, `${command === null ? "the image's own command" : shown(command)}  (${from})`]);
  }
  if (plan.pre_build) rows.push(["pre_build", told(plan.pre_build)]);
  for (const [name, hook] of Object.entries({ release: plan.release_command, post_deploy: plan.post_deploy }))
    if (hook) rows.push([name, `${shown(hook.value)}  (${hook.from})`]);
  if (plan.port) rows.push(["port", told(plan.port)]);
  for (const [name, { description, required, generator, value }] of Object.entries(plan.config)) {
    const how = generator
      ? "generated"
      : value !== null
        ? "has a default"
        : required
          ? "required"
          : "optional";
    rows.push(["config", `${name}  (${[how, description].filter(Boolean).join(": ")})`]);
  }
  for (const path of plan.volumes) rows.push(["volume", path]);
  for (const warning of plan.warnings) rows.push(["warning", warning]);
  const width = Math.max(...rows.map(([label]) => label.length));
  const table = rows
    .map(([label, text]) => `${label.padEnd(width)}  ${text.replace(/\p{C}+/gu, " ")}`)
    .join("\n");
  return plan.dockerfile_path === null ? `${table}\n\n${renderDockerfile(plan)}` : `${table}\n`;
}

function servedBy(plan: BuildPlan): string {
  const reason = needsContainer(plan);
  return reason === null ? "the proxy, without a container" : `a container  (${reason})`;
}

function told<T>({ value, from }: Choice<T>): string {
  return `${String(value)}  (${from})`;
}

/** A Procfile line as it was written; other commands as their words. */
function shown(command: string[]): string {
  return command[0] === "sh" && command[1] === "-c" && command.length === 3 ? command[2]! : command.join(" ");
}
