import type { SourceTree } from "../../src/engine/build/tree.ts";
import { type ChosenVersion, chooseVersion, type VersionWish } from "../runtime-versions.ts";
import { toolVersion } from "../tool-versions.ts";
import type { PackageJson } from "./package-json.ts";

/** Names of long-term lines, as .nvmrc has them (github.com/nodejs/Release, CODENAMES.md). */
const NAMES: Record<string, string> = {
  lithium: "26",
  krypton: "24",
  jod: "22",
  iron: "20",
  hydrogen: "18",
  gallium: "16",
  fermium: "14",
};

/** The release line of Node: .nvmrc, .node-version, asdf or mise, volta, engines.node, else the newest long-term line. */
export async function chooseNodeVersion(
  tree: SourceTree,
  pkg: PackageJson,
): Promise<ChosenVersion & { isSaid: boolean }> {
  const said = await wish(tree, pkg);
  return { ...chooseVersion("node", said), isSaid: said !== null };
}

async function wish(tree: SourceTree, pkg: PackageJson): Promise<VersionWish | null> {
  for (const file of [".nvmrc", ".node-version"]) {
    const text = (await tree.read(file))?.split("\n")[0]?.trim();
    if (text) return { range: named(text), from: `${file}: ${text}` };
  }
  const tool = await toolVersion(tree, "nodejs", "node");
  if (tool !== null) return { ...tool, range: named(tool.range) };
  if (pkg.volta.node) return { range: pkg.volta.node, from: `volta.node in package.json: ${pkg.volta.node}` };
  const range = pkg.engines.node?.trim();
  return range ? { range: named(range), from: `engines.node in package.json: ${range}` } : null;
}

function named(text: string): string {
  return NAMES[/^lts\/(\w+)$/i.exec(text)?.[1]?.toLowerCase() ?? ""] ?? text;
}
