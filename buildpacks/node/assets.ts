import type { Step } from "../../src/engine/build/plan.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { copyInPlace, present, run, runTheirs, take } from "../steps.ts";
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
 * JavaScript beside another language's framework (Rails, Laravel, Phoenix, Django): Node is lent to the build stage
 * and never reaches the image. null without a package.json.
 */
export async function nodeAssets(tree: SourceTree): Promise<NodeAssets | null> {
  const pkg = await readPackageJson(tree);
  if (pkg === null) return null;
  const manager = await choosePackageManager(tree, pkg);
  const { version } = await chooseNodeVersion(tree, pkg);
  const image = manager.name === "bun" ? "oven/bun:1-slim" : `node:${version.value}-bookworm-slim`;
  const manifests = await present(tree, [
    "package.json",
    ...(manager.lockfile ? [manager.lockfile] : []),
    ...manager.reads,
  ]);
  const setup = manager.setup ? [run(manager.setup.value, manager.setup.from, { npm: "/root/.npm" })] : [];
  const script = pkg.scripts.build === undefined ? null : manager.run("build").join(" ");
  return {
    image,
    lend: lent(image),
    install: [...setup, ...copyInPlace(manifests), runTheirs(manager.install, manager.cache)],
    build: script === null ? [] : [runTheirs({ value: script, from: "scripts.build in package.json" })],
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
