import type { AppJson } from "./app-json.ts";
import type { BuildPlan } from "./plan.ts";
import { unknownSizes } from "./process-size.ts";

/** What app.json says beside how to build: config, numbers, hooks; and a word on what counts for nothing here yet. */
export function applyAppJson(plan: BuildPlan, app: AppJson): void {
  plan.config = app.env;
  plan.formation = app.formation;
  const { release, post_deploy } = app.hooks;
  if (release !== null) plan.release_command = hook(release, "hooks.release in app.json");
  if (post_deploy !== null)
    plan.post_deploy = { ...hook(post_deploy, "hooks.post_deploy in app.json"), first_only: false };
  else if (app.postdeploy !== null)
    plan.post_deploy = { ...hook(app.postdeploy, "scripts.postdeploy in app.json"), first_only: true };
  const unknown = unknownSizes(app.formation);
  if (unknown.length > 0)
    plan.warnings.push(`app.json names sizes that are not known here: ${unknown.join(", ")}`);
  if (app.addons.length > 0)
    plan.warnings.push(
      `app.json asks for add-ons (${app.addons.join(", ")}): not yet. Set what they would set, such as DATABASE_URL, with diplo config:set`,
    );
  if (app.cron.length > 0)
    plan.warnings.push(`app.json asks for cron (${app.cron.join(", ")}): not yet, it does not run`);
}

function hook(line: string, from: string) {
  return { value: ["sh", "-c", line], from };
}
