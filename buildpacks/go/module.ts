import { above, type SourceTree, subtree } from "../../src/engine/build/tree.ts";
import type { VersionWish } from "../runtime-versions.ts";
import { hasEnded } from "../runtime-versions.ts";

/** Where a Go program is built: its module, or the workspace around it. */
export interface GoModule {
  tree: SourceTree;
  /** Place of `tree` in the repository when the app is a directory of it; null when it is the app's own directory. */
  context: string | null;
  /** The app's directory below `tree`. */
  directory: string;
  /** Text of go.mod. */
  text: string;
  /** Directories of the modules of go.work; empty without one. */
  workspace: string[];
}

/** The app's own module, else the nearest go.work or go.mod above it. */
export async function findModule(tree: SourceTree): Promise<GoModule> {
  const own = { tree, context: null, directory: "" };
  for (const context of above(tree.subdirectory)) {
    const outer = subtree(tree.root, context);
    const directory = context === "" ? tree.subdirectory : tree.subdirectory.slice(context.length + 1);
    const workspace = await workspaceOf(outer);
    const isMember = workspace.includes(directory);
    const isInside = !(await tree.has("go.mod")) && (await outer.has("go.mod"));
    if (isMember || isInside) {
      const text = (await tree.read("go.mod")) ?? (await outer.read("go.mod")) ?? "";
      return { tree: outer, context, directory, text, workspace };
    }
  }
  const workspace = await workspaceOf(tree);
  const files = ["go.mod", ...workspace.map((directory) => `${directory}/go.mod`)];
  const texts = await Promise.all(files.map((path) => tree.read(path)));
  return { ...own, text: texts.filter(Boolean).join("\n"), workspace };
}

/** Directories that go.work uses, without `./`; "" is the one it lies in. */
async function workspaceOf(tree: SourceTree): Promise<string[]> {
  const text = (await tree.read("go.work")) ?? "";
  const block = /^use\s*\(([^)]*)\)/m.exec(text)?.[1] ?? "";
  const single = [...text.matchAll(/^use\s+([^\s(]+)/gm)].map((match) => match[1]!);
  return [...block.split("\n"), ...single]
    .map((line) => line.replace(/\/\/.*$/, "").trim())
    .filter((line) => /^\.?[\w./-]*$/.test(line) && line !== "" && !line.includes(".."))
    .map((line) => line.replace(/^\.\/?/, "").replace(/\/$/, ""));
}

/**
 * `toolchain` is a wish; `go` is the least that the module needs, and Go builds older code as before: a line that has
 * ended gives way to the newest.
 */
export function goWish(text: string, today = new Date().toISOString().slice(0, 10)): VersionWish | null {
  const toolchain = /^toolchain go(\d+\.\d+)/m.exec(text)?.[1];
  if (toolchain !== undefined) return { range: toolchain, from: `toolchain ${toolchain} in go.mod` };
  const least = /^go (\d+\.\d+)/m.exec(text)?.[1];
  if (least === undefined) return null;
  return hasEnded("go", least, today)
    ? { range: "latest", from: `go.mod needs ${least} at least, which has ended` }
    : { range: least, from: `go ${least} in go.mod` };
}
