import { join } from "node:path/posix";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { tableOf } from "../tables.ts";
import { type CargoTree, type Crate, textOf } from "./crates.ts";

export interface CargoProgram {
  name: string;
  /** Its crate, for `cargo build --package`. */
  crate: string;
  from: string;
  /** File with its `main`. */
  source: string;
  /** The web framework that its crate depends on. */
  framework: string | null;
  /** The one that answers requests. */
  isWeb: boolean;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;
const WEB_NAMES = ["web", "server", "api", "app"];

export const WEB_FRAMEWORKS: Record<string, string> = {
  axum: "Axum",
  "actix-web": "Actix Web",
  rocket: "Rocket",
  warp: "Warp",
  poem: "Poem",
  salvo: "Salvo",
};

/** Programs of the app's crate, else of its workspace, by the rules of Cargo's target discovery. */
export async function cargoPrograms({ tree, directory, crates }: CargoTree): Promise<CargoProgram[]> {
  const own = crates.find((crate) => crate.directory === directory) ?? null;
  const mine = own === null ? [] : await programsOf(tree, own);
  const others = mine.length > 0 ? [] : await Promise.all(crates.map((crate) => programsOf(tree, crate)));
  const all = [...mine, ...others.flat()].filter(({ name, crate }) => NAME.test(name) && NAME.test(crate));
  const chosen = webProgram(all, own);
  return all.map((program) => ({ ...program, isWeb: program === chosen }));
}

/** What Cargo.toml names, the only one, the only one with a web framework, a usual name, the crate's own name. */
function webProgram(all: CargoProgram[], own: Crate | null): CargoProgram | undefined {
  const preferred = textOf(tableOf(own?.manifest.package)["default-run"]);
  const named = all.find(({ name }) => name === preferred);
  if (named !== undefined) return named;
  if (all.length === 1) return all[0];
  const serving = all.filter(({ framework }) => framework !== null);
  const candidates = serving.length > 0 ? serving : all;
  if (candidates.length === 1) return candidates[0];
  const usual = candidates.find(({ name }) =>
    WEB_NAMES.some((part) => name === part || name.endsWith(`-${part}`)),
  );
  return usual ?? candidates.find(({ name }) => name === own?.name);
}

async function programsOf(tree: SourceTree, crate: Crate): Promise<CargoProgram[]> {
  if (crate.name === null) return [];
  const at = (path: string) => join(crate.directory, path);
  const listed = (Array.isArray(crate.manifest.bin) ? crate.manifest.bin : []).map(tableOf);
  const found = new Map<string, { from: string; source: string }>();
  // A program that is built with a feature only is not built by default.
  for (const bin of listed.filter((one) => one["required-features"] === undefined)) {
    const name = textOf(bin.name);
    const source = at(textOf(bin.path) ?? `src/bin/${name}.rs`);
    if (name !== null) found.set(name, { from: `[[bin]] in ${at("Cargo.toml")}`, source });
  }
  const taken = listed.map((bin) => textOf(bin.path)).filter((path) => path !== null);
  const files = (await tree.list(at("src/bin"))).map(({ name, directory }) => ({
    name: directory ? name : name.replace(/\.rs$/, ""),
    path: directory ? `src/bin/${name}/main.rs` : `src/bin/${name}`,
  }));
  for (const { name, path } of [{ name: crate.name, path: "src/main.rs" }, ...files]) {
    const isListed = taken.includes(path) || listed.some((bin) => textOf(bin.name) === name);
    if (!isListed && path.endsWith(".rs") && (await tree.has(at(path))))
      found.set(name, { from: at(path), source: at(path) });
  }
  const framework = Object.keys(WEB_FRAMEWORKS).find((name) => crate.dependencies.includes(name)) ?? null;
  return [...found].map(([name, where]) => ({
    ...where,
    name,
    crate: crate.name!,
    framework,
    isWeb: false,
  }));
}
