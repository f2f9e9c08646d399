import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openDirectoryTree } from "../../../src/engine/build/directory-tree.ts";
import { eject } from "../../../src/engine/build/eject.ts";
import { memoryTree } from "../../../src/engine/build/memory-tree.ts";
import type { BuildPlan } from "../../../src/engine/build/plan.ts";
import { DEFAULT_BUILD_OPTIONS, planTree } from "../../../src/engine/build/plan-build.ts";
import { renderDockerfile } from "../../../src/engine/build/render-dockerfile.ts";
import type { SourceTree } from "../../../src/engine/build/tree.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures");
const NOT_EJECTED = new Set(["gate", "sample"]);

/** The tree with the ejected files in it. */
function laidOver(tree: SourceTree, texts: Record<string, string>): SourceTree {
  const over: SourceTree = {
    get root() {
      return over;
    },
    subdirectory: "",
    read: async (path) => texts[path] ?? tree.read(path),
    has: async (path) => path in texts || tree.has(path),
    list: (path) => tree.list(path),
  };
  return over;
}

const commandsOf = ({ processes }: BuildPlan) =>
  Object.fromEntries(
    Object.entries(processes)
      .filter(([name]) => name !== "web")
      .map(([name, { command }]) => [name, command?.at(-1)]),
  );

for (const name of readdirSync(FIXTURES).filter((entry) => !NOT_EJECTED.has(entry)))
  test(`eject makes of fixture ${name} a Dockerfile that starts the same processes`, async () => {
    const tree = await openDirectoryTree(join(FIXTURES, name));
    const before = await planTree(tree, { ...DEFAULT_BUILD_OPTIONS, mode: "buildpack" }).catch(() => null);
    if (before === null) return expect(eject(tree, DEFAULT_BUILD_OPTIONS)).rejects.toThrow();
    const { files } = await eject(tree, DEFAULT_BUILD_OPTIONS);
    const texts = Object.fromEntries(files.map(({ path, text }) => [path, text]));
    const rendered = renderDockerfile(before).split("\n").slice(1).join("\n");
    expect(texts.Dockerfile).toContain(rendered);
    const after = await planTree(laidOver(tree, texts), DEFAULT_BUILD_OPTIONS);
    expect(after.provider).toBe("dockerfile");
    expect(commandsOf(after)).toEqual(commandsOf(before));
    expect(after.release_command?.value.at(-1)).toEqual(before.release_command?.value.at(-1));
    const again = await eject(laidOver(tree, texts), DEFAULT_BUILD_OPTIONS);
    expect(again.files).toEqual([]);
  });

const APP = { "package.json": '{"scripts": {"start": "node a.js"}}', "a.js": "" };

test("eject only adds to a .dockerignore that is there, and says where the file came from", async () => {
  const { files } = await eject(memoryTree({ ...APP, ".dockerignore": "*.log" }), DEFAULT_BUILD_OPTIONS);
  const dockerfile = files.find(({ path }) => path === "Dockerfile");
  expect(dockerfile?.text).toStartWith(
    "# Made by Diplo: node (npm), because of package.json.\n# It is yours now",
  );
  expect(dockerfile?.text).toContain("docker build .");
  const ignore = files.find(({ path }) => path === ".dockerignore");
  if (ignore) expect(ignore.text).toStartWith("*.log\n# ");
});

test("eject keeps what a build sees: arguments of the page and secrets", async () => {
  const tree = memoryTree({ "package.json": '{"scripts": {"start": "node a.js", "build": "make"}}' });
  const options = { ...DEFAULT_BUILD_OPTIONS, public_args: { VITE_API: "" }, secrets: { NPM_TOKEN: "" } };
  const text = (await eject(tree, options)).files[0]!.text;
  expect(text).toContain("ARG VITE_API\n");
  expect(text).toContain("--mount=type=secret,id=NPM_TOKEN");
});
