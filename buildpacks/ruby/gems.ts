import type { SourceTree } from "../../src/engine/build/tree.ts";
import type { VersionWish } from "../runtime-versions.ts";
import { toolVersion } from "../tool-versions.ts";

/** What Gemfile and Gemfile.lock say. */
export interface Gems {
  names: Set<string>;
  has: (name: string) => boolean;
  locked: boolean;
  /** Gems of the tree itself (path:, gemspec). */
  needsTree: boolean;
  wish: VersionWish | null;
  /** The lockfile was written for other systems alone: bundler refuses it on Linux. */
  foreign: string | null;
}

/** Reads Gemfile and Gemfile.lock by their lines; Ruby code in them is not run. */
export async function readGems(tree: SourceTree): Promise<Gems> {
  const gemfile = (await tree.read("Gemfile")) ?? "";
  const lock = await tree.read("Gemfile.lock");
  const named = [...gemfile.matchAll(/^\s*gem\s+["']([\w.-]+)["']/gm)].map((match) => match[1]!);
  const locked = [...(lock ?? "").matchAll(/^ {4}([\w.-]+) \(/gm)].map((match) => match[1]!);
  const names = new Set([...named, ...locked]);
  return {
    names,
    has: (name) => names.has(name),
    locked: lock !== null,
    needsTree: /^\s*gemspec\b|\bpath:\s*["']|:path\s*=>/m.test(gemfile),
    wish: await versionWish(tree, gemfile, lock ?? ""),
    foreign: foreignPlatforms(lock ?? ""),
  };
}

function foreignPlatforms(lock: string): string | null {
  const platforms = /^PLATFORMS\r?\n((?: {2}\S+\s?\n?)+)/m.exec(lock)?.[1]?.trim().split(/\s+/) ?? ["ruby"];
  return platforms.some((name) => name === "ruby" || name.includes("linux")) ? null : platforms.join(", ");
}

/** .ruby-version, asdf or mise, `ruby` in the Gemfile, RUBY VERSION in the lockfile, in this order. */
async function versionWish(tree: SourceTree, gemfile: string, lock: string): Promise<VersionWish | null> {
  const file = (await tree.read(".ruby-version"))?.split("\n")[0]?.trim();
  if (file) return { range: file.replace(/^ruby-/, ""), from: `.ruby-version: ${file}` };
  const tool = await toolVersion(tree, "ruby");
  if (tool !== null) return tool;
  const stated = /^\s*ruby\s+["']([^"']+)["']/m.exec(gemfile)?.[1];
  if (stated) return { range: gemRange(stated), from: `ruby "${stated}" in the Gemfile` };
  const version = /^RUBY VERSION\r?\n\s+ruby (\d+\.\d+\.\d+)/m.exec(lock)?.[1];
  return version ? { range: version, from: `RUBY VERSION in Gemfile.lock: ${version}` } : null;
}

/** RubyGems' pessimistic operator in npm's syntax. */
function gemRange(requirement: string): string {
  return requirement
    .replace(/~>\s*(\d+)\.(\d+)$/, ">=$1.$2.0 <$1.99.99")
    .replace(/~>\s*/, "~")
    .replace(/^(>=?|<=?)\s*(\d+\.\d+)$/, "$1$2.0");
}
