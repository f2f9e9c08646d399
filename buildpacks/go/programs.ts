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

const WEB_NAMES = ["web", "server", "api", "app", "http"];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Programs of a module: main.go at the root, else every directory of cmd/ that has one. */
export async function goPrograms(tree: SourceTree, module: string): Promise<GoProgram[]> {
  const commands = await commandsOf(tree);
  const own = moduleName(module);
  if (await isMain(tree, "")) {
    const root = { name: own, directory: ".", from: "package main at the root", isWeb: true };
    return [root, ...commands.filter(({ name }) => name !== own)];
  }
  const web = [own, ...WEB_NAMES]
    .map((name) => commands.find((c) => c.name === name))
    .find((c) => c !== undefined);
  const chosen = web ?? (commands.length === 1 ? commands[0] : undefined);
  return commands.map((command) => ({ ...command, isWeb: command === chosen }));
}

async function commandsOf(tree: SourceTree): Promise<GoProgram[]> {
  const commands: GoProgram[] = [];
  for (const { name, directory } of await tree.list("cmd")) {
    if (!directory || !NAME.test(name) || !(await isMain(tree, `cmd/${name}/`))) continue;
    commands.push({ name, directory: `./cmd/${name}`, from: `cmd/${name}`, isWeb: false });
  }
  return commands;
}

async function isMain(tree: SourceTree, directory: string): Promise<boolean> {
  for (const { name } of await tree.list(directory)) {
    if (!name.endsWith(".go") || name.endsWith("_test.go")) continue;
    return /^package main\b/m.test((await tree.read(`${directory}${name}`)) ?? "");
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
