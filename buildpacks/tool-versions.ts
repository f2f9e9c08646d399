import type { SourceTree } from "../src/engine/build/tree.ts";
import type { VersionWish } from "./runtime-versions.ts";
import { readToml, tableOf } from "./tables.ts";

/** Places of mise's configuration in a repository (mise.jdx.dev, "Configuration"). */
const MISE = ["mise.toml", ".mise.toml", ".config/mise.toml"];

/** The version that asdf's or mise's file gives a tool, under any of its names there; null when it gives none. */
export async function toolVersion(tree: SourceTree, ...names: string[]): Promise<VersionWish | null> {
  for (const line of ((await tree.read(".tool-versions")) ?? "").split("\n")) {
    const [name = "", version] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (names.includes(name) && version)
      return { range: version, from: `.tool-versions: ${name} ${version}` };
  }
  for (const file of MISE) {
    const tools = tableOf((await readToml(tree, file)).tools);
    for (const name of names) {
      const version = versionIn(tools[name]);
      if (version !== null) return { range: version, from: `${file}: ${name} ${version}` };
    }
  }
  return null;
}

/** A version, the first of several, or a table that has one. */
function versionIn(said: unknown): string | null {
  const first = Array.isArray(said) ? said[0] : said;
  const version = tableOf(first).version ?? first;
  return typeof version === "string" || typeof version === "number" ? String(version) : null;
}
