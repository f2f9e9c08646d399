import type { Choice } from "../../src/engine/build/plan.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import type { PackageJson } from "./package-json.ts";

/** Lines with images, newest first. `supported` lines still get security releases. */
const LINES: { line: number; name: string; supported: boolean }[] = [
  { line: 24, name: "krypton", supported: true },
  { line: 22, name: "jod", supported: true },
  { line: 20, name: "iron", supported: true },
  { line: 18, name: "hydrogen", supported: false },
  { line: 16, name: "gallium", supported: false },
];

/** What a repository gets that says nothing. */
const DEFAULT_LINE = LINES[0]!.line;

export interface NodeVersion {
  version: Choice<string>;
  warnings: string[];
}

/** The release line of Node: .nvmrc, .node-version, engines.node, else the newest long-term line. */
export async function chooseNodeVersion(tree: SourceTree, pkg: PackageJson): Promise<NodeVersion> {
  for (const file of [".nvmrc", ".node-version"]) {
    const text = (await tree.read(file))?.split("\n")[0]?.trim();
    if (text) return resolve(text, file);
  }
  const range = pkg.engines.node?.trim();
  if (range) return resolve(range, "engines.node in package.json");
  return { version: { value: String(DEFAULT_LINE), from: "newest long-term line" }, warnings: [] };
}

function resolve(wanted: string, where: string): NodeVersion {
  const from = `${where}: ${wanted}`;
  const line = lineFor(wanted);
  if (line === null) {
    return {
      version: { value: String(DEFAULT_LINE), from: `newest long-term line, as ${from} names none` },
      warnings: [`${from} could not be read as a version of Node; ${DEFAULT_LINE} is used.`],
    };
  }
  const known = LINES.find((candidate) => candidate.line === line);
  const warnings =
    known?.supported === false ? [`Node ${line} (${from}) gets no security releases any more.`] : [];
  return { version: { value: String(line), from }, warnings };
}

/** The newest known line inside a range; the line of an exact version; null when it says neither. */
function lineFor(wanted: string): number | null {
  const text = wanted.toLowerCase();
  if (/^(lts\/\*|lts|node|stable|latest|current|\*|x)$/.test(text)) return DEFAULT_LINE;
  const named = LINES.find(({ name }) => text === `lts/${name}`);
  if (named) return named.line;
  const bare = /^[v=]?\s*(\d{1,2})(\.\d+){0,2}$/.exec(text);
  if (bare) return Number(bare[1]);
  // A line's last version stands for all of it: a range that names a line nearly always takes its newest.
  const inside = LINES.find(({ line }) => Bun.semver.satisfies(`${line}.99.99`, text));
  if (inside) return inside.line;
  const first = /(\d{1,2})\.(\d+|x)/.exec(text) ?? /(\d{1,2})/.exec(text);
  return first ? Number(first[1]) : null;
}
