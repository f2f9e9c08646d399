import { readJson, type SourceTree } from "../../src/engine/build/tree.ts";
import type { Framework } from "./framework.ts";
import { dependsOn, type PackageJson } from "./package-json.ts";

/** Frameworks that bring Vite along and yet end in a program, or in files of their own place. */
export async function metaFramework(tree: SourceTree, pkg: PackageJson): Promise<Framework | null> {
  if (dependsOn(pkg, "nuxt")) return nuxt(pkg);
  if (dependsOn(pkg, "@sveltejs/kit")) return svelteKit(tree, pkg);
  if (dependsOn(pkg, "@react-router/dev")) return reactRouter(tree);
  if (dependsOn(pkg, "@remix-run/serve")) {
    return program("Remix", "@remix-run/serve", ["remix-serve", "./build/server/index.js"]);
  }
  for (const name of ["@solidjs/start", "@tanstack/react-start", "nitropack", "nitro"]) {
    if (dependsOn(pkg, name)) return program("Nitro", name, NITRO);
  }
  if (dependsOn(pkg, "@angular/core") && !dependsOn(pkg, "@angular/ssr")) return angular(tree);
  return null;
}

const NITRO = ["node", ".output/server/index.mjs"];

function program(name: string, dependency: string, command: string[] | null): Framework {
  return {
    choice: { value: name, from: `${dependency} in package.json` },
    files: null,
    start: command && { command, from: `what ${name} builds` },
    standalone: false,
    warnings: [],
  };
}

function files(name: string, dependency: string, root: string, spa: boolean, from: string): Framework {
  return {
    ...program(name, dependency, null),
    files: { root: { value: root, from }, spa: { value: spa, from } },
  };
}

function nuxt(pkg: PackageJson): Framework {
  const generates = /\bnuxi? generate\b|\bnuxt generate\b/.test(pkg.scripts.build ?? "");
  return generates
    ? files("Nuxt", "nuxt", ".output/public", false, "nuxt generate in scripts.build")
    : program("Nuxt", "nuxt", NITRO);
}

async function svelteKit(tree: SourceTree, pkg: PackageJson): Promise<Framework> {
  if (dependsOn(pkg, "@sveltejs/adapter-static")) {
    const fallback = /fallback\s*:/.test((await tree.read("svelte.config.js")) ?? "");
    return files("SvelteKit", "@sveltejs/kit", "build", fallback, "adapter-static in package.json");
  }
  if (dependsOn(pkg, "@sveltejs/adapter-node"))
    return program("SvelteKit", "@sveltejs/kit", ["node", "build"]);
  const unfit = program("SvelteKit", "@sveltejs/kit", null);
  return {
    ...unfit,
    warnings: ["SvelteKit needs @sveltejs/adapter-node or @sveltejs/adapter-static to run here."],
  };
}

async function reactRouter(tree: SourceTree): Promise<Framework> {
  const config =
    (await tree.read("react-router.config.ts")) ?? (await tree.read("react-router.config.js")) ?? "";
  return /ssr\s*:\s*false/.test(config)
    ? files("React Router", "@react-router/dev", "build/client", true, "ssr: false in react-router.config")
    : program("React Router", "@react-router/dev", ["react-router-serve", "./build/server/index.js"]);
}

/** The application builder (since 17) puts the browser's files one directory deeper. */
async function angular(tree: SourceTree): Promise<Framework | null> {
  const config = await readJson(tree, "angular.json").catch(() => null);
  const projects = Object.entries((config?.projects ?? {}) as Record<string, Record<string, never>>);
  const [name, project] = projects[0] ?? [];
  if (name === undefined || !/^[\w.-]+$/.test(name)) return null;
  const builder = JSON.stringify(project).match(
    /"builder":"[^"]*:(application|browser|browser-esbuild)"/,
  )?.[1];
  const root = `dist/${name}${builder === "application" ? "/browser" : ""}`;
  return files("Angular", "@angular/core", root, true, "angular.json");
}
