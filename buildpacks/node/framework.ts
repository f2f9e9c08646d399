import type { Choice } from "../../src/engine/build/plan.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { builtPage, configs, filesFramework, firstText, runsServer } from "./bundlers.ts";
import { metaFramework } from "./meta-framework.ts";
import { dependsOn, type PackageJson } from "./package-json.ts";

/** What a framework's build leaves behind. */
export interface Framework {
  choice: Choice<string>;
  /** Set when the build ends in files. */
  files: { root: Choice<string>; spa: Choice<boolean> } | null;
  /** Command when package.json has no start script. */
  start: { command: string[]; from: string } | null;
  /** A server that needs no packages beside it. */
  bundle: Bundle | null;
  /** What the build has to be told. */
  build_env: Record<string, string>;
  /** Directory that builds keep from one to the next, for a cache mount. */
  build_cache: string | null;
  /** Run after the build, so that it works on a read-only root. */
  finish: Choice<string> | null;
  warnings: string[];
}

export interface Bundle {
  /** Places in the app's directory, and where they go in the image. */
  takes: { path: string; to: string }[];
  command: string[];
  /** Whether it is started like this whatever scripts.start says. */
  always: boolean;
  /** In the place of the framework's own `finish`. */
  finish: Choice<string> | null;
}

/** A framework with what is particular about it. */
export function framework(name: string, from: string, more: Partial<Framework> = {}): Framework {
  return {
    choice: { value: name, from },
    files: null,
    start: null,
    bundle: null,
    build_env: {},
    build_cache: null,
    finish: null,
    warnings: [],
    ...more,
  };
}

const SERVERS: [string, string][] = [
  ["@nestjs/core", "Nest"],
  ["fastify", "Fastify"],
  ["koa", "Koa"],
  ["@hapi/hapi", "hapi"],
  ["hono", "Hono"],
  ["elysia", "Elysia"],
  ["express", "Express"],
];

/** The framework by its dependency; null when none of the known is there. */
export async function chooseFramework(tree: SourceTree, pkg: PackageJson): Promise<Framework | null> {
  if (dependsOn(pkg, "next")) return next(tree);
  const meta = await metaFramework(tree, pkg);
  if (meta !== null && (meta.files === null || !runsServer(pkg))) return meta;
  const files = await filesFramework(tree, pkg);
  if (files !== null) return files;
  const server = SERVERS.find(([dependency]) => dependsOn(pkg, dependency));
  if (server === undefined) return builtPage(tree, pkg);
  const [dependency, name] = server;
  const start = name === "Nest" ? { command: ["node", "dist/main.js"], from: "what Nest builds" } : null;
  return framework(name, `${dependency} in package.json`, { start });
}

async function next(tree: SourceTree): Promise<Framework> {
  const { text, path } = await firstText(tree, configs("next"));
  const output = /output:\s*['"](standalone|export)['"]/.exec(text)?.[1];
  const build_cache = ".next/cache";
  if (output === "export") {
    const root = /distDir:\s*['"]([\w./-]+)['"]/.exec(text)?.[1] ?? "out";
    return framework("Next (export)", `output in ${path}`, {
      files: {
        root: { value: root, from: `output in ${path}` },
        spa: { value: false, from: "a page per path" },
      },
      build_cache,
    });
  }
  const standalone = output === "standalone";
  return framework(
    standalone ? "Next (standalone)" : "Next",
    standalone ? `output in ${path}` : "next in package.json",
    {
      start: { command: ["next", "start"], from: "Next" },
      bundle: standalone ? await standaloneBundle(tree) : null,
      build_cache,
      finish: writableCache(".next/cache"),
    },
  );
}

/** Next leaves its server's files in three places (nextjs.org, "output: standalone"). */
async function standaloneBundle(tree: SourceTree): Promise<Bundle> {
  const takes = [
    { path: ".next/standalone", to: "./" },
    { path: ".next/static", to: "./.next/static" },
  ];
  if (await tree.has("public")) takes.push({ path: "public", to: "./public" });
  const finish = writableCache(".next/standalone/.next/cache");
  return { takes, command: ["node", "server.js"], always: true, finish };
}

function writableCache(path: string): Choice<string> {
  return {
    value: `rm -rf ${path} && ln -s /tmp ${path}`,
    from: "because Next keeps pages and images there while it runs",
  };
}
