import { join } from "node:path/posix";
import type { Step } from "../../src/engine/build/plan.ts";
import { type SourceTree, subtree } from "../../src/engine/build/tree.ts";
import { defaultVersion } from "../runtime-versions.ts";
import { copyInPlace, present, run, runTheirs, take } from "../steps.ts";
import { holding, installScripts } from "./install-scripts.ts";
import { chooseNodeVersion } from "./node-version.ts";
import { readPackageJson } from "./package-json.ts";
import { choosePackageManager } from "./package-manager.ts";

export interface NodeAssets {
  image: string;
  /** Node itself, for a stage of another language on Debian. */
  lend: Step[];
  /** The packages, from the manifests alone. */
  install: Step[];
  /** The build script; empty when there is none. Needs the tree. */
  build: Step[];
}

/**
 * JavaScript beside another language's framework (Rails, Laravel, Phoenix, Django), at the root or in a directory:
 * Node is lent to the build stage and never reaches the image. null without a package.json.
 */
export async function nodeAssets(root: SourceTree, directory = ""): Promise<NodeAssets | null> {
  const tree = subtree(root, directory);
  const pkg = await readPackageJson(tree);
  if (pkg === null) return null;
  const inside = (line: string) => (directory === "" ? line : `cd ${directory} && ${line}`);
  const path = (name: string) => join(directory, name);
  const manager = await choosePackageManager(tree, pkg);
  const { version } = await chooseNodeVersion(tree, pkg);
  const image =
    manager.name === "bun"
      ? `oven/bun:${defaultVersion("bun").value}-slim`
      : `node:${version.value}-bookworm-slim`;
  const install = { ...manager.install, value: holding(installScripts(pkg), manager, manager.install.value) };
  const manifests = await present(tree, [
    "package.json",
    ...(manager.lockfile ? [manager.lockfile] : []),
    ...manager.reads,
  ]);
  const setup = manager.setup ? [run(manager.setup.value, manager.setup.from, { npm: "/root/.npm" })] : [];
  // Phoenix before 1.6 calls it deploy; at a root that may be anything.
  const name = (directory === "" ? ["build"] : ["build", "deploy"]).find(
    (one) => pkg.scripts[one] !== undefined,
  );
  const script = name === undefined ? null : inside(manager.run(name).join(" "));
  return {
    image,
    lend: lent(image),
    install: [
      ...setup,
      ...copyInPlace(manifests.map(path)),
      runTheirs({ ...install, value: inside(install.value) }, manager.cache),
    ],
    build:
      script === null
        ? []
        : [runTheirs({ value: script, from: `scripts.${name} in ${path("package.json")}` })],
  };
}

function lent(image: string): Step[] {
  if (image.startsWith("oven/")) return [take(image, "/usr/local/bin/bun", "/usr/local/bin/bun")];
  const links = ["npm", "npx"].map(
    (name) => `ln -s ../lib/node_modules/npm/bin/${name}-cli.js /usr/local/bin/${name}`,
  );
  return [
    take(image, "/usr/local/bin/node", "/usr/local/bin/node"),
    take(image, "/usr/local/lib/node_modules/npm", "/usr/local/lib/node_modules/npm"),
    run(links.join(" && "), "package.json"),
  ];
}
