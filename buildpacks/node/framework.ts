import type { Choice } from "../../src/engine/build/plan.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { configs, filesFramework, firstText, runsServer } from "./bundlers.ts";
import { metaFramework } from "./meta-framework.ts";
import { dependsOn, type PackageJson } from "./package-json.ts";

/** What a framework's build leaves behind. */
export interface Framework {
  choice: Choice<string>;
  /** Set when the build ends in files. */
  files: { root: Choice<string>; spa: Choice<boolean> } | null;
  /** Command when package.json has no start script. */
  start: { command: string[]; from: string } | null;
  /** Next's own trimmed server (output: "standalone"). */
  standalone: boolean;
  warnings: string[];
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
  if (dependsOn(pkg, "next")) return nextFramework(tree);
  const meta = await metaFramework(tree, pkg);
  if (meta !== null && (meta.files === null || !runsServer(pkg))) return meta;
  const files = await filesFramework(tree, pkg);
  if (files !== null) return files;
  const server = SERVERS.find(([dependency]) => dependsOn(pkg, dependency));
  if (server === undefined) return null;
  const start =
    server[0] === "@nestjs/core" ? { command: ["node", "dist/main.js"], from: "what Nest builds" } : null;
  return {
    choice: { value: server[1], from: `${server[0]} in package.json` },
    files: null,
    start,
    standalone: false,
    warnings: [],
  };
}

async function nextFramework(tree: SourceTree): Promise<Framework> {
  const { text, path } = await firstText(tree, configs("next"));
  const output = /output:\s*['"](standalone|export)['"]/.exec(text)?.[1];
  const choice = {
    value: output ? `Next (${output})` : "Next",
    from: output ? `output in ${path}` : "next in package.json",
  };
  if (output === "export") {
    const root = { value: /distDir:\s*['"]([^'"]+)['"]/.exec(text)?.[1] ?? "out", from: `output in ${path}` };
    return {
      choice,
      files: { root, spa: { value: false, from: "a page per path" } },
      start: null,
      standalone: false,
      warnings: [],
    };
  }
  return {
    choice,
    files: null,
    start: { command: ["next", "start"], from: "Next" },
    standalone: output === "standalone",
    warnings: [],
  };
}
