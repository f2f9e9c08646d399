import type { SourceTree } from "../../src/engine/build/tree.ts";

export interface GoProgram {
  /** File name of the program. */
  name: string;
  /** Package path for `go build`. */
  directory: string;
  from: string;
  /** The one that answers requests. */
  isWeb: boolean;
}

const WEB_NAMES = ["web", "server", "api", "app", "http", "service"];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * Programs of a module, or of one directory of it: package main at its root and in the directories of cmd/; where
 * there is neither, in cmd/ itself, in a directory with a usual name, and in the modules of a workspace.
 */
export async function goPrograms(
  tree: SourceTree,
  module: string,
  at: string,
  workspace: string[],
): Promise<GoProgram[]> {
  const own = at === "" ? moduleName(module) : at.slice(at.lastIndexOf("/") + 1);
  const commands = await commandsOf(tree, at);
  if (await isMain(tree, at)) {
    const from = at === "" ? "package main at the root" : `package main in ${at}`;
    const root = { name: own, directory: at === "" ? "." : `./${at}`, from, isWeb: true };
    return [root, ...commands.filter(({ name }) => name !== own)];
  }
  const found = commands.length > 0 ? commands : await elsewhere(tree, own, at, workspace);
  const web = [own, ...WEB_NAMES]
    .map((name) => found.find((one) => one.name === name))
    .find((one) => one !== undefined);
  const chosen = web ?? (found.length === 1 ? found[0] : undefined);
  return found.map((program) => ({ ...program, isWeb: program === chosen }));
}

/** Every directory of cmd/ that holds a program. */
async function commandsOf(tree: SourceTree, at: string): Promise<GoProgram[]> {
  const base = at === "" ? "cmd" : `${at}/cmd`;
  const names = (await tree.list(base)).filter(({ directory }) => directory).map(({ name }) => name);
  return programsIn(
    tree,
    names.map((name) => `${base}/${name}`),
  );
}

async function elsewhere(
  tree: SourceTree,
  own: string,
  at: string,
  workspace: string[],
): Promise<GoProgram[]> {
  const inside = (name: string) => (at === "" ? name : `${at}/${name}`);
  if (await isMain(tree, inside("cmd")))
    return [{ name: own, directory: `./${inside("cmd")}`, from: inside("cmd"), isWeb: false }];
  const modules = workspace.filter((directory) => directory !== "");
  const members = await programsIn(tree, modules);
  const deeper = await Promise.all(modules.map((directory) => commandsOf(tree, directory)));
  if (members.length + deeper.flat().length > 0) return [...members, ...deeper.flat()];
  return programsIn(tree, WEB_NAMES.map(inside));
}

async function programsIn(tree: SourceTree, directories: string[]): Promise<GoProgram[]> {
  const found: GoProgram[] = [];
  for (const directory of directories) {
    const name = directory.slice(directory.lastIndexOf("/") + 1);
    if (!NAME.test(name) || !(await isMain(tree, directory))) continue;
    found.push({ name, directory: `./${directory}`, from: directory, isWeb: false });
  }
  return found;
}

/** Tests and files that are only run by `go run` or `go generate` make no program. */
async function isMain(tree: SourceTree, directory: string): Promise<boolean> {
  for (const { name } of await tree.list(directory)) {
    if (!name.endsWith(".go") || name.endsWith("_test.go")) continue;
    const text = (await tree.read(directory === "" ? name : `${directory}/${name}`)) ?? "";
    if (!/^\/\/go:build ignore\b/m.test(text)) return /^package main\b/m.test(text);
  }
  return false;
}

/** The last part of the module's path that is no major version. */
function moduleName(module: string): string {
  const path = /^module\s+"?([^\s"]+)/m.exec(module)?.[1] ?? "app";
  const name =
    path
      .replace(/\/v\d+$/, "")
      .split("/")
      .at(-1) ?? "app";
  return NAME.test(name) ? name : "app";
}
