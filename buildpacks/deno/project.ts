import { quote } from "../../src/engine/build/quote.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import type { VersionWish } from "../runtime-versions.ts";
import { type Table, tableOf } from "../tables.ts";
import { toolVersion } from "../tool-versions.ts";

export const DENO_CONFIGS = ["deno.json", "deno.jsonc"];

const ENTRIES = [
  "main.ts",
  "server.ts",
  "mod.ts",
  "index.ts",
  "app.ts",
  "main.tsx",
  "main.js",
  "src/main.ts",
];

export interface DenoProject {
  /** deno.json or deno.jsonc; null without one. */
  config: string | null;
  tasks: Record<string, string>;
  /** Packages are named in the configuration: they can be fetched before the code is there. */
  hasImports: boolean;
  isFresh: boolean;
  /** Module that the program starts with. */
  entry: string | null;
  /** Shell line that starts it; null when nothing says how. */
  start: { line: string; from: string } | null;
  wish: VersionWish | null;
}

/** Reads deno.json, with comments and without; a broken one counts as empty. */
export async function readDenoProject(tree: SourceTree): Promise<DenoProject> {
  const config = await firstOf(tree, DENO_CONFIGS);
  const said = parse(config === null ? null : await tree.read(config));
  const tasks = textsOf(said.tasks);
  const imports = textsOf(said.imports);
  const isFresh =
    (await tree.has("fresh.config.ts")) ||
    Object.values(imports).some((from) => /\/@?fresh[@/]|@fresh\/core/.test(from));
  const task = startTask(tasks, isFresh);
  const entry = (task && entryOf(task.line)) ?? (await firstOf(tree, ENTRIES));
  return {
    config,
    tasks,
    hasImports: Object.keys(imports).length > 0,
    isFresh,
    entry,
    start: startOf(task && { ...task, config: config! }, entry),
    wish: await versionWish(tree),
  };
}

function parse(text: string | null): Table {
  try {
    return tableOf(Bun.JSONC.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

/** Fresh's own `start` is its development server; what serves a build is `preview`. */
function startTask(tasks: Record<string, string>, isFresh: boolean): { name: string; line: string } | null {
  const isDevelopment = (line: string) => /--watch\b|\bdev\.ts\b/.test(line);
  const names = isFresh ? ["start", "preview", "serve"] : ["start", "serve"];
  const name = names.find((one) => tasks[one] !== undefined && !(isFresh && isDevelopment(tasks[one])));
  return name === undefined ? null : { name, line: tasks[name]! };
}

function entryOf(line: string): string | null {
  return (
    /(?:^|\s)((?:\.\/)?[\w@-][\w@./-]*\.(?:ts|tsx|js|mjs))(?:\s|$)/.exec(line)?.[1]?.replace(/^\.\//, "") ??
    null
  );
}

function startOf(
  task: { name: string; line: string; config: string } | null,
  entry: string | null,
): DenoProject["start"] {
  if (task !== null) {
    // One command needs no task runner beside it; anything else is Deno's own shell's.
    const plain = /^deno (run|serve) [^&|;<>$`()]+$/.test(task.line);
    // `deno serve` goes by its flags alone.
    const line = task.line.replace(/^deno serve (?!.*--port\b)/, 'deno serve --host 0.0.0.0 --port "$PORT" ');
    return { line: plain ? line : `deno task ${task.name}`, from: `tasks.${task.name} in ${task.config}` };
  }
  if (entry === null) return null;
  return { line: `deno run --allow-net --allow-env --allow-read ${quote(entry)}`, from: entry };
}

async function versionWish(tree: SourceTree): Promise<VersionWish | null> {
  const tool = await toolVersion(tree, "deno");
  if (tool !== null) return tool;
  const file = (await tree.read(".dvmrc"))?.trim();
  return file ? { range: file, from: `.dvmrc: ${file}` } : null;
}

function textsOf(value: unknown): Record<string, string> {
  const pairs = Object.entries(tableOf(value)).map(([name, said]) => [name, tableOf(said).command ?? said]);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}
