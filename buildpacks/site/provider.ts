import type { BuildPlan } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { serveFiles } from "../static/files-image.ts";
import { copyAll, runTheirs } from "../steps.ts";
import { GENERATORS } from "./generators.ts";

/** Sites that a generator makes of texts: Hugo, MkDocs, Jekyll. */
export const siteProvider: Provider = {
  name: "site",
  looks_for: "hugo.toml with content, mkdocs.yml, _config.yml with Jekyll in the Gemfile (site generators)",
  start_from: "the files that the generator makes",
  async detect(tree) {
    for (const { detect } of GENERATORS) {
      const mark = await detect(tree);
      if (mark !== null) return [mark];
    }
    return null;
  },
  plan: planSite,
};

const OUT = "/out";

async function planSite(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const generator = await generatorOf(tree);
  const from = evidence[0]!;
  const { version, warnings } = chooseVersion(generator.runtime, await generator.wish(tree));
  const image = generator.image(version.value);
  const plan = emptyPlan("site", evidence);
  plan.versions[generator.runtime] = version;
  plan.framework = { value: generator.name, from };
  plan.build_image = { value: image, from: version.from };
  plan.warnings.push(...warnings);
  const build = { value: await generator.build(tree), from };
  plan.stages = [
    {
      name: "build",
      from: image,
      purpose: `The site, made by ${generator.name}`,
      env: {},
      steps: [...(await generator.install(tree)), copyAll(), runTheirs(build)],
    },
  ];
  serveFiles(plan, {
    root: { value: OUT, from: `output of ${generator.name}` },
    spa: { value: false, from: "a page per path" },
    stage: "build",
    path: OUT,
  });
  return plan;
}

async function generatorOf(tree: SourceTree) {
  for (const generator of GENERATORS) if ((await generator.detect(tree)) !== null) return generator;
  throw new Error("planned without evidence");
}
