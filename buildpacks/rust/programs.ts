import type { SourceTree } from "../../src/engine/build/tree.ts";

export interface CargoProgram {
  name: string;
  from: string;
  /** The one that answers requests. */
  isWeb: boolean;
}

type Table = Record<string, unknown>;

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;
const WEB_NAMES = ["web", "server", "api", "app"];

/** Programs of a crate or of a workspace's members, by the rules of Cargo's target discovery. */
export async function cargoPrograms(tree: SourceTree): Promise<CargoProgram[]> {
  const manifest = await readManifest(tree, "Cargo.toml");
  const own = await programsOf(tree, "", manifest);
  const members = own.length > 0 ? [] : await memberPrograms(tree, manifest);
  const all = [...own, ...members].filter(({ name }) => NAME.test(name));
  const preferred = textOf(tableOf(manifest.package)["default-run"]);
  const web =
    all.find(({ name }) => name === preferred) ??
    (all.length === 1
      ? all[0]
      : all.find(({ name }) => WEB_NAMES.some((part) => name === part || name.endsWith(`-${part}`))));
  const chosen = web ?? own.find(({ name }) => name === textOf(tableOf(manifest.package).name));
  return all.map((program) => ({ ...program, isWeb: program === chosen }));
}

async function memberPrograms(tree: SourceTree, manifest: Table): Promise<CargoProgram[]> {
  const members = tableOf(manifest.workspace).members;
  const found: CargoProgram[] = [];
  for (const pattern of Array.isArray(members) ? members : []) {
    for (const directory of await expand(tree, String(pattern))) {
      found.push(
        ...(await programsOf(tree, `${directory}/`, await readManifest(tree, `${directory}/Cargo.toml`))),
      );
    }
  }
  return found;
}

/** `crates/*` and plain directories: what workspaces are made of in practice. */
async function expand(tree: SourceTree, pattern: string): Promise<string[]> {
  if (!pattern.endsWith("/*")) return [pattern];
  const parent = pattern.slice(0, -2);
  return (await tree.list(parent))
    .filter((entry) => entry.directory)
    .map((entry) => `${parent}/${entry.name}`);
}

async function programsOf(tree: SourceTree, directory: string, manifest: Table): Promise<CargoProgram[]> {
  const name = textOf(tableOf(manifest.package).name);
  if (name === null) return [];
  const listed = (Array.isArray(manifest.bin) ? manifest.bin : []).map((bin) => textOf(tableOf(bin).name));
  const names = new Map<string, string>();
  for (const bin of listed) if (bin !== null) names.set(bin, `[[bin]] in ${directory}Cargo.toml`);
  const hasMain = await tree.has(`${directory}src/main.rs`);
  const takesMain = (Array.isArray(manifest.bin) ? manifest.bin : []).some(
    (bin) => tableOf(bin).path === "src/main.rs",
  );
  if (hasMain && !takesMain) names.set(name, `${directory}src/main.rs`);
  for (const { name: file, directory: isDirectory } of await tree.list(`${directory}src/bin`)) {
    names.set(isDirectory ? file : file.replace(/\.rs$/, ""), `${directory}src/bin/${file}`);
  }
  return [...names].map(([program, from]) => ({ name: program, from, isWeb: false }));
}

async function readManifest(tree: SourceTree, path: string): Promise<Table> {
  try {
    return tableOf(Bun.TOML.parse((await tree.read(path)) ?? ""));
  } catch {
    return {};
  }
}

function tableOf(value: unknown): Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Table) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
