import { readJson, type SourceTree } from "../../src/engine/build/tree.ts";
import { configs, firstText } from "./bundlers.ts";
import { type Bundle, type Framework, framework } from "./framework.ts";
import { dependsOn, type PackageJson } from "./package-json.ts";

/** Frameworks that bring Vite along and yet end in a program, or in files of their own place. */
export async function metaFramework(tree: SourceTree, pkg: PackageJson): Promise<Framework | null> {
  if (dependsOn(pkg, "nuxt")) return nuxt(pkg);
  if (dependsOn(pkg, "@sveltejs/kit")) return svelteKit(tree, pkg);
  if (dependsOn(pkg, "astro")) return astro(tree, pkg);
  if (dependsOn(pkg, "@react-router/dev")) return reactRouter(tree);
  if (dependsOn(pkg, "@remix-run/dev") || dependsOn(pkg, "@remix-run/serve")) return remix(tree);
  for (const name of ["@solidjs/start", "@tanstack/react-start", "nitropack", "nitro"])
    if (dependsOn(pkg, name)) return nitro("Nitro", name);
  if (dependsOn(pkg, "@angular/core")) return angular(tree, dependsOn(pkg, "@angular/ssr"));
  return null;
}

/** A server that packs what it needs into one directory. */
const NITRO: Bundle = {
  takes: [{ path: ".output", to: "./.output" }],
  command: ["node", ".output/server/index.mjs"],
  always: false,
  finish: null,
};

function nitro(name: string, dependency: string): Framework {
  return framework(name, `${dependency} in package.json`, {
    start: { command: NITRO.command, from: `what ${name} builds` },
    bundle: NITRO,
  });
}

function program(name: string, dependency: string, command: string[]): Framework {
  return framework(name, `${dependency} in package.json`, {
    start: { command, from: `what ${name} builds` },
  });
}

function files(name: string, dependency: string, root: string, spa: boolean, from: string): Framework {
  return framework(name, `${dependency} in package.json`, {
    files: { root: { value: root, from }, spa: { value: spa, from } },
  });
}

function nuxt(pkg: PackageJson): Framework {
  const generates = /\bnuxi? generate\b|\bnuxt generate\b/.test(pkg.scripts.build ?? "");
  return generates
    ? files("Nuxt", "nuxt", ".output/public", false, "nuxt generate in scripts.build")
    : nitro("Nuxt", "nuxt");
}

async function svelteKit(tree: SourceTree, pkg: PackageJson): Promise<Framework> {
  const node = ["node", "build"];
  if (dependsOn(pkg, "@sveltejs/adapter-static")) {
    const { text } = await firstText(tree, configs("svelte"));
    const root = /pages\s*:\s*['"]([\w/-]+)['"]/.exec(text)?.[1] ?? "build";
    const spa = /fallback\s*:\s*['"]/.test(text);
    return files("SvelteKit", "@sveltejs/kit", root, spa, "adapter-static in package.json");
  }
  if (dependsOn(pkg, "@sveltejs/adapter-node")) return program("SvelteKit", "@sveltejs/kit", node);
  if (dependsOn(pkg, "@sveltejs/adapter-auto")) {
    // adapter-auto takes adapter-node, and installs it, where this is set; it knows no plainer name for that.
    return { ...program("SvelteKit", "@sveltejs/kit", node), build_env: { GCP_BUILDPACKS: "true" } };
  }
  return framework("SvelteKit", "@sveltejs/kit in package.json", {
    warnings: ["SvelteKit needs @sveltejs/adapter-node or @sveltejs/adapter-static to run here."],
  });
}

/** With the adapter for Node there is a server, even where most pages are made beforehand. */
async function astro(tree: SourceTree, pkg: PackageJson): Promise<Framework | null> {
  const { text, path } = await firstText(tree, configs("astro"));
  if (dependsOn(pkg, "@astrojs/node") && /@astrojs\/node/.test(text)) {
    const command = ["node", "dist/server/entry.mjs"];
    return framework("Astro (server)", `@astrojs/node in ${path}`, {
      start: { command, from: "what Astro's node adapter builds" },
    });
  }
  if (!/output:\s*['"](server|hybrid)['"]/.test(text)) return null;
  return framework("Astro (server)", `output in ${path}`, {
    warnings: [`The output in ${path} needs @astrojs/node to run here.`],
  });
}

async function reactRouter(tree: SourceTree): Promise<Framework> {
  const { text } = await firstText(tree, configs("react-router"));
  return /ssr\s*:\s*false/.test(text)
    ? files("React Router", "@react-router/dev", "build/client", true, "ssr: false in react-router.config")
    : program("React Router", "@react-router/dev", ["react-router-serve", "./build/server/index.js"]);
}

async function remix(tree: SourceTree): Promise<Framework> {
  const { text, path } = await firstText(tree, configs("vite"));
  return /ssr\s*:\s*false/.test(text)
    ? files("Remix", "@remix-run/dev", "build/client", true, `ssr: false in ${path}`)
    : program("Remix", "@remix-run/serve", ["remix-serve", "./build/server/index.js"]);
}

/** The application builder (since 17) puts the browser's files one directory deeper, its server's beside them. */
async function angular(tree: SourceTree, hasServer: boolean): Promise<Framework | null> {
  const config = await readJson(tree, "angular.json").catch(() => null);
  const projects = Object.entries((config?.projects ?? {}) as Record<string, Record<string, never>>);
  const [name, project] = projects[0] ?? [];
  if (name === undefined || !/^[\w.-]+$/.test(name)) return null;
  if (hasServer) return program("Angular", "@angular/ssr", ["node", `dist/${name}/server/server.mjs`]);
  const builder = JSON.stringify(project).match(
    /"builder":"[^"]*:(application|browser|browser-esbuild)"/,
  )?.[1];
  const root = `dist/${name}${builder === "application" ? "/browser" : ""}`;
  return files("Angular", "@angular/core", root, true, "angular.json");
}
