import type { BuildPlan } from "../../engine/build/plan.ts";
import type { Hooks } from "../environments/settings.ts";
import type { ReleaseSpec } from "../releases/release-spec.ts";

/** A command around a deployment, and where it comes from. */
export interface Hook {
  name: "release" | "post_deploy";
  command: string[];
  from: string;
}

type Found = Pick<BuildPlan, "release_command" | "post_deploy">;

/** The app's setting, else what the repository says. */
export function releaseHook(settings: Hooks, found: Found["release_command"]): Hook | null {
  return ofSetting("release", settings.release) ?? ofPlan("release", found);
}

/** As `releaseHook`; `isFirst`: nothing of the app was live before. */
export function postDeployHook(settings: Hooks, found: Found["post_deploy"], isFirst: boolean): Hook | null {
  const counts = found !== null && (isFirst || !found.first_only);
  return ofSetting("post_deploy", settings.post_deploy) ?? (counts ? ofPlan("post_deploy", found) : null);
}

export function releaseHookOf({ settings, release_command, release_from }: ReleaseSpec): Hook | null {
  const found = release_command && { value: release_command, from: release_from ?? "the repository" };
  return releaseHook(settings.hooks, found);
}

/** The line as it was written, for people. */
export function hookLine({ command }: Pick<Hook, "command">): string {
  return command[0] === "sh" && command[1] === "-c" && command.length === 3 ? command[2]! : command.join(" ");
}

function ofSetting(name: Hook["name"], line: string | null): Hook | null {
  return line === null
    ? null
    : { name, command: ["sh", "-c", line], from: `the app's setting hooks.${name}` };
}

function ofPlan(name: Hook["name"], found: { value: string[]; from: string } | null): Hook | null {
  return found && { name, command: found.value, from: found.from };
}
