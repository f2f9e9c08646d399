import { statSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT } from "../exit-code.ts";
import { COMMON, flag } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import type { Verb } from "../verb.ts";

export const build: Verb = {
  name: "build",
  summary: "How a directory would be built: the plan, where each choice comes from, the Dockerfile",
  usage: "--plan <dir>",
  notes: "Needs no engine and no running Diplo.",
  flags: [
    flag("plan", "boolean", "only show it; building is what deploy does"),
    flag("buildpack", "text", "as if this buildpack were asked for", { placeholder: "NAME" }),
    ...COMMON.filter(({ name }) => name !== "data"),
  ],
  example: "diplo build --plan .",
  run: async ({ flags, positionals }, context) => {
    if (!flags.get("plan")) throw new UsageError("wants --plan", "To build and run it: diplo deploy <dir>");
    if (positionals.length > 1) throw new UsageError(`"${positionals[1]}" is one argument too many`);
    const directory = resolve(context.io.directory, positionals[0] ?? ".");
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`${directory} is no directory`);
    const { DEFAULT_BUILD_OPTIONS, planBuild } = await import("../../engine/build/plan-build.ts");
    const { describePlan } = await import("../../engine/build/describe-plan.ts");
    const buildpack = (flags.get("buildpack") as string | undefined) ?? null;
    const plan = await planBuild(directory, {
      ...DEFAULT_BUILD_OPTIONS,
      mode: buildpack ? "buildpack" : "auto",
      buildpack,
    });
    if (context.json) context.printJson(plan);
    else context.io.out(describePlan(plan));
    return EXIT.ok;
  },
};
