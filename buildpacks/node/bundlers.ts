import type { SourceTree } from "../../src/engine/build/tree.ts";
import { type Framework, framework } from "./framework.ts";
import { dependsOn, type PackageJson } from "./package-json.ts";
import { isPage } from "./page.ts";

interface Bundler {
  dependency: string;
  name: string;
  /** First existing configuration file, and where it says the output goes. */
  configs: string[];
  setting: RegExp;
  root: string;
  spa: boolean;
}

/** Builders that end in files; the more special first, as most of them bring Vite along. */
const BUNDLERS: Bundler[] = [
  {
    dependency: "astro",
    name: "Astro",
    configs: configs("astro"),
    setting: /outDir:\s*['"]([^'"]+)['"]/,
    root: "dist",
    spa: false,
  },
  { dependency: "gatsby", name: "Gatsby", configs: [], setting: /$^/, root: "public", spa: false },
  {
    dependency: "@docusaurus/core",
    name: "Docusaurus",
    configs: [],
    setting: /$^/,
    root: "build",
    spa: false,
  },
  {
    dependency: "@11ty/eleventy",
    name: "Eleventy",
    configs: [".eleventy.js", "eleventy.config.js"],
    setting: /output:\s*['"]([^'"]+)['"]/,
    root: "_site",
    spa: false,
  },
  {
    dependency: "vitepress",
    name: "VitePress",
    configs: [],
    setting: /$^/,
    root: "docs/.vitepress/dist",
    spa: false,
  },
  {
    dependency: "react-scripts",
    name: "Create React App",
    configs: [],
    setting: /$^/,
    root: "build",
    spa: true,
  },
  {
    dependency: "@vue/cli-service",
    name: "Vue CLI",
    configs: ["vue.config.js"],
    setting: /outputDir:\s*['"]([^'"]+)['"]/,
    root: "dist",
    spa: true,
  },
  {
    dependency: "vite",
    name: "Vite",
    configs: configs("vite"),
    setting: /outDir:\s*['"]([^'"]+)['"]/,
    root: "dist",
    spa: true,
  },
  {
    dependency: "html-webpack-plugin",
    name: "webpack",
    configs: configs("webpack"),
    setting: /path:\s*(?:path\.)?(?:resolve|join)\(__dirname,\s*['"]([^'"]+)['"]/,
    root: "dist",
    spa: true,
  },
  { dependency: "parcel", name: "Parcel", configs: [], setting: /$^/, root: "dist", spa: true },
];

/** A bundler's output is the app, unless a start script runs a program of the repository's own. */
export async function filesFramework(tree: SourceTree, pkg: PackageJson): Promise<Framework | null> {
  if (pkg.scripts.build === undefined || runsServer(pkg)) return null;
  const bundler = BUNDLERS.find(({ dependency }) => dependsOn(pkg, dependency));
  return bundler === undefined ? null : bundled(tree, bundler);
}

/** A page that stands in the tree, whose styles and scripts are built beside it; null for other trees. */
export async function builtPage(tree: SourceTree, pkg: PackageJson): Promise<Framework | null> {
  if (pkg.scripts.build === undefined || !(await isPage(tree, pkg))) return null;
  return framework("page", "index.html", {
    files: {
      root: { value: ".", from: "index.html" },
      spa: { value: false, from: "a page per path" },
    },
    finish: { value: "rm -rf node_modules", from: "because only the build needs them" },
  });
}

async function bundled(tree: SourceTree, bundler: Bundler): Promise<Framework> {
  const { text, path } = await firstText(tree, bundler.configs);
  const setting = bundler.setting
    .exec(text)?.[1]
    ?.replace(/^\.?\//, "")
    .replace(/\/$/, "");
  const inside =
    setting !== undefined &&
    /^\w[\w@+.-]*(\/[\w@+.-]+)*$/.test(setting) &&
    !setting.split("/").includes("..");
  const spa = bundler.spa ? `${bundler.name} builds one page` : `${bundler.name} builds a page per path`;
  return framework(bundler.name, `${bundler.dependency} in package.json`, {
    files: {
      root: inside
        ? { value: setting, from: path }
        : { value: bundler.root, from: `default of ${bundler.name}` },
      spa: { value: bundler.spa, from: spa },
    },
  });
}

const PREVIEWS =
  /^(?:[A-Z_]+=\S+\s+)*(?:npx\s+)?(?:vite(?:\s.*)?|react-scripts start|ng serve.*|vue-cli-service serve.*|astro (?:dev|preview).*|gatsby (?:develop|serve).*|docusaurus (?:start|serve).*|eleventy --serve.*|vitepress (?:dev|preview).*|parcel(?:\s.*)?|webpack(?:-dev-server| serve).*|(?:npm|yarn|pnpm|bun) run (?:dev|preview)|(?:npx )?(?:serve|http-server|sirv)(?: .*)?)$/;

/** Whether `scripts.start` starts something else than the bundler's own development server. */
export function runsServer(pkg: PackageJson): boolean {
  const start = pkg.scripts.start?.trim();
  return start !== undefined && !PREVIEWS.test(start);
}

export function configs(name: string): string[] {
  return ["js", "mjs", "ts", "mts", "cjs"].map((extension) => `${name}.config.${extension}`);
}

/** The first of the files that is there, without its comments. */
export async function firstText(tree: SourceTree, paths: string[]): Promise<{ text: string; path: string }> {
  for (const path of paths) {
    const text = await tree.read(path);
    if (text !== null) return { text: withoutComments(text), path };
  }
  return { text: "", path: "" };
}

/** Templates of configuration files carry their settings as comments. Addresses and globs in strings are none. */
function withoutComments(text: string): string {
  return text.replace(/(^|[\s({[,;])(?:\/\/.*$|\/\*[\s\S]*?\*\/)/gm, "$1");
}
