import { commandOf, plainWords } from "../../src/engine/build/quote.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import type { Framework } from "./framework.ts";
import type { PackageJson } from "./package-json.ts";
import type { PackageManager } from "./package-manager.ts";

export interface StartCommand {
  command: string[];
  from: string;
}

const ENTRIES = [
  "index.js",
  "server.js",
  "app.js",
  "index.mjs",
  "server.mjs",
  "main.js",
  "src/index.js",
  "src/server.js",
  "src/app.js",
  "src/main.js",
];
const BUN_ENTRIES = ["index.ts", "server.ts", "app.ts", "src/index.ts", "src/server.ts"];

/** `scripts.start`, what the framework builds, `main`, then the usual files; null when there is none. */
export async function chooseStart(
  tree: SourceTree,
  pkg: PackageJson,
  manager: PackageManager,
  framework: Framework | null,
): Promise<StartCommand | null> {
  if (pkg.scripts["start:prod"] !== undefined && framework?.choice.value === "Nest") {
    return { command: commandOf(pkg.scripts["start:prod"]), from: "scripts.start:prod in package.json" };
  }
  if (startsProgram(pkg, framework)) return fromScript(pkg, manager);
  if (framework?.start) return framework.start;
  const run = manager.name === "bun" ? ["bun"] : ["node"];
  if (pkg.main !== null && ((await tree.has(pkg.main)) || buildsMain(pkg, framework))) {
    return { command: [...run, pkg.main], from: "main in package.json" };
  }
  for (const entry of manager.name === "bun" ? [...ENTRIES, ...BUN_ENTRIES] : ENTRIES) {
    if (await tree.has(entry)) return { command: [...run, entry], from: entry };
  }
  return null;
}

/** Of a server; a library's `main` is no program. */
function buildsMain({ main, scripts }: PackageJson, framework: Framework | null): boolean {
  return (
    framework?.files === null && scripts.build !== undefined && /^(\.\/)?(dist|build|out|lib)\//.test(main!)
  );
}

/** Nest's own start script and the frameworks' are for development. */
function startsProgram(pkg: PackageJson, framework: Framework | null): boolean {
  const line = pkg.scripts.start;
  if (line === undefined || framework?.choice.value === "Nest") return false;
  return (
    framework === null ||
    !/^(?:(?:vite|nuxt|nuxi|vinxi|svelte-kit|astro|remix|react-router)( (dev|preview|vite:dev))?|next dev|ng serve)\b/.test(
      line,
    )
  );
}

/**
 * The script's own words where they need no shell: the program then gets signals itself and no package manager
 * stays in memory beside it. Scripts with a `prestart` or `poststart` go through the package manager.
 */
function fromScript(pkg: PackageJson, manager: PackageManager): StartCommand {
  const from = "scripts.start in package.json";
  const line = pkg.scripts.start!;
  if (pkg.scripts.prestart !== undefined || pkg.scripts.poststart !== undefined) {
    return { command: manager.run("start"), from };
  }
  return { command: plainWords(line) ?? ["sh", "-c", line], from };
}
