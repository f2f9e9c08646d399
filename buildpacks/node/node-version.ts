import type { SourceTree } from "../../src/engine/build/tree.ts";
import { type ChosenVersion, chooseVersion, type VersionWish } from "../runtime-versions.ts";
import type { PackageJson } from "./package-json.ts";

/** Names of long-term lines, as .nvmrc has them. */
const NAMES: Record<string, string> = { krypton: "24", jod: "22", iron: "20", hydrogen: "18", gallium: "16" };

/** The release line of Node: .nvmrc, .node-version, engines.node, else the newest long-term line. */
export async function chooseNodeVersion(tree: SourceTree, pkg: PackageJson): Promise<ChosenVersion> {
  return chooseVersion("node", await wish(tree, pkg));
}

async function wish(tree: SourceTree, pkg: PackageJson): Promise<VersionWish | null> {
  for (const file of [".nvmrc", ".node-version"]) {
    const text = (await tree.read(file))?.split("\n")[0]?.trim();
    if (text) return { range: named(text), from: `${file}: ${text}` };
  }
  const range = pkg.engines.node?.trim();
  return range ? { range: named(range), from: `engines.node in package.json: ${range}` } : null;
}

function named(text: string): string {
  return NAMES[/^lts\/(\w+)$/i.exec(text)?.[1]?.toLowerCase() ?? ""] ?? text;
}
