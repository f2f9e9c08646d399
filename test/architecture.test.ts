import { describe, expect, test } from "bun:test";
import { dirname, extname, join, relative, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");

/**
 * Which parts a part may import when it runs (types are free: they leave no trace in the program). The arrows of
 * ARCHITECTURE.md: main → appliance, cli → api, web → product → engine, jobs, security → store → the three below all.
 */
const BASE = ["base"];
const STORE = ["store", ...BASE];
const ENGINE_ROOM = ["engine", "jobs", "security", "buildpacks"];
const PRODUCT = ["product", "protocol", ...ENGINE_ROOM, ...STORE];
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: BASE,
  store: STORE,
  engine: ["engine", "buildpacks", ...STORE],
  buildpacks: ["buildpacks", "engine", ...BASE],
  jobs: ["jobs", ...STORE],
  security: ["security", ...STORE],
  product: PRODUCT,
  api: ["api", ...PRODUCT],
  ui: ["ui"],
  web: ["web", "ui", ...PRODUCT],
  cli: ["cli", "api", ...PRODUCT],
  // The data plane never needs the control plane: it stands alone.
  proxy: ["proxy", "protocol", ...BASE],
  protocol: [],
};
/** Files that put the parts together. */
const ENTRIES = /^src\/(main|serve|appliance|compile)\.ts$/;

interface Import {
  file: string;
  target: string;
}

function partOf(path: string): string {
  if (path === "src/proxy/protocol.ts") return "protocol";
  const [top = "", folder = ""] = path.split("/");
  if (top !== "src") return top;
  return folder.includes(".") ? "base" : folder;
}

const sources = [...new Bun.Glob("{src,ui,buildpacks}/**/*.{ts,tsx}").scanSync({ cwd: root })].filter(
  (file) => !file.endsWith(".d.ts"),
);

async function importsOf(file: string): Promise<Import[]> {
  const transpiler = new Bun.Transpiler({ loader: extname(file) === ".tsx" ? "tsx" : "ts" });
  const found = transpiler.scanImports(await Bun.file(join(root, file)).text());
  return found.map(({ path }) => ({
    file,
    target: path.startsWith(".") ? relative(root, resolve(root, dirname(file), path)) : path,
  }));
}

const imports = (await Promise.all(sources.map(importsOf))).flat();
const ours = imports.filter(({ target }) => /^(src|ui|buildpacks)\//.test(target));
const told = ({ file, target }: Import): string => `${file} → ${target}`;

test("the arrows between the parts point one way", () => {
  const wrong = ours.filter(({ file, target }) => {
    if (ENTRIES.test(file)) return false;
    return !MAY_IMPORT[partOf(file)]?.includes(partOf(target));
  });
  expect(wrong.map(told)).toEqual([]);
});

test("the scan sees the imports that hold the house together", () => {
  expect(ours.length).toBeGreaterThan(200);
  expect(ours.map(told)).toContain("src/cli/verbs.ts → src/product/operations.ts");
  expect(new Set(sources.map(partOf))).toEqual(new Set(Object.keys(MAY_IMPORT)));
});

describe("packages stay where they belong", () => {
  const homes: Record<string, RegExp> = {
    dockerode: /^src\/engine\/runtime\/docker\//,
    elysia: /^src\/(api|web)\//,
    "libsodium-wrappers": /^src\/security\//,
    "bun:sqlite": /^src\/(store|cli)\//,
    "node-cron": /^src\/(product|jobs)\//,
  };
  for (const [name, home] of Object.entries(homes))
    test(name, () => {
      const strangers = imports.filter(({ file, target }) => target === name && !home.test(file));
      expect(strangers.map(told)).toEqual([]);
    });
});

test("config.ts alone reads the environment", async () => {
  const readers: string[] = [];
  for (const file of sources) {
    if (file === "src/config.ts" || file === "src/compile.ts") continue;
    if (/\b(process|Bun)\.env\b/.test(await Bun.file(join(root, file)).text())) readers.push(file);
  }
  expect(readers).toEqual([]);
});

test("no file imports another without its extension", () => {
  const bare = ours.filter(({ target }) => extname(target) === "");
  expect(bare.map(told)).toEqual([]);
});
