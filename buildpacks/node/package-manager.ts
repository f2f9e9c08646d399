import type { Choice } from "../../src/engine/build/plan.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import type { PackageJson } from "./package-json.ts";

export type ManagerName = "npm" | "yarn" | "yarn-berry" | "pnpm" | "bun";

/** One package manager: how it installs from its lockfile, and what it has to see for that. */
export interface PackageManager {
  name: ManagerName;
  choice: Choice<string>;
  lockfile: string | null;
  /** Makes the manager available; null when the image has it. */
  setup: Choice<string> | null;
  install: Choice<string>;
  /** Installs without what only the build needs. */
  install_production: string;
  /** Drops what only the build needed, from a workspace's members too; null when the manager cannot. */
  prune: Choice<string> | null;
  /** Files beside package.json that the installation reads, when they exist. */
  reads: string[];
  cache: Record<string, string>;
  env: Record<string, string>;
  /** Runs a script of package.json. */
  run: (script: string) => string[];
  warnings: string[];
}

const LOCKFILES: [string, "npm" | "yarn" | "pnpm" | "bun"][] = [
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

/** The `packageManager` field, else the lockfile, else npm. */
export async function choosePackageManager(tree: SourceTree, pkg: PackageJson): Promise<PackageManager> {
  const field = /^(npm|yarn|pnpm|bun)@(\d+\.\d+\.\d+(?:-[\w.]+)?)/.exec(pkg.packageManager ?? "");
  const present: [string, "npm" | "yarn" | "pnpm" | "bun"][] = [];
  for (const entry of LOCKFILES) if (await tree.has(entry[0])) present.push(entry);
  const name = (field?.[1] as "npm" | "yarn" | "pnpm" | "bun" | undefined) ?? present[0]?.[1] ?? "npm";
  const lockfile = present.find(([, owner]) => owner === name)?.[0] ?? null;
  const from = field ? "packageManager in package.json" : (lockfile ?? "default, no lockfile");
  const manager = await build(tree, name, { lockfile, from, version: field?.[2] ?? null });
  if (lockfile === null) {
    manager.warnings.push(`No lockfile of ${name}: versions of dependencies may differ from build to build.`);
  }
  const others = present.filter(([, owner]) => owner !== name).map(([path]) => path);
  if (others.length > 0)
    manager.warnings.push(`${others.join(", ")} ignored: ${manager.choice.value} is used (${from}).`);
  return manager;
}

interface Found {
  lockfile: string | null;
  from: string;
  version: string | null;
}

async function build(
  tree: SourceTree,
  name: "npm" | "yarn" | "pnpm" | "bun",
  found: Found,
): Promise<PackageManager> {
  switch (name) {
    case "npm":
      return npm(found);
    case "pnpm":
      return pnpm(found, (await tree.read("pnpm-lock.yaml"))?.slice(0, 200) ?? "");
    case "bun":
      return bun(found);
    case "yarn": {
      const lock = (await tree.read("yarn.lock"))?.slice(0, 400) ?? "";
      const berry = found.version === null ? lock.includes("__metadata:") : !found.version.startsWith("1.");
      return berry ? yarnBerry(found, lock) : yarnClassic(found);
    }
  }
}

function npm({ lockfile, from }: Found): PackageManager {
  const how = lockfile ?? "package.json, no lockfile";
  return {
    name: "npm",
    choice: { value: "npm", from },
    lockfile,
    setup: null,
    install: { value: lockfile ? "npm ci" : "npm install --no-audit --no-fund", from: how },
    install_production: lockfile ? "npm ci --omit=dev" : "npm install --omit=dev --no-audit --no-fund",
    prune: { value: "npm prune --omit=dev --ignore-scripts", from: "devDependencies in package.json" },
    reads: [".npmrc"],
    cache: { npm: "/root/.npm" },
    env: { npm_config_update_notifier: "false", npm_config_fund: "false", npm_config_audit: "false" },
    run: (script) => ["npm", "run", script],
    warnings: [],
  };
}

function pnpm({ lockfile, from, version }: Found, lock: string): PackageManager {
  const format = /^lockfileVersion:\s*'?"?(\d+)/m.exec(lock)?.[1];
  const major = { "5": "7", "6": "8", "9": "10" }[format ?? "9"] ?? "10";
  const release = version ?? major;
  return {
    name: "pnpm",
    choice: { value: `pnpm ${release}`, from },
    lockfile,
    setup: {
      value: `npm install --global pnpm@${release}`,
      from: version ? from : `lockfileVersion in ${lockfile}`,
    },
    install: {
      value: `pnpm install ${lockfile ? "--frozen-lockfile" : "--no-frozen-lockfile"}`,
      from: lockfile ?? "package.json",
    },
    install_production: `pnpm install ${lockfile ? "--frozen-lockfile" : "--no-frozen-lockfile"} --prod`,
    // Its own prune leaves out the members of a workspace; CI lets it remove directories without asking.
    prune: {
      value: `CI=true pnpm install ${lockfile ? "--frozen-lockfile" : "--no-frozen-lockfile"} --prod --ignore-scripts --offline`,
      from: "devDependencies in package.json",
    },
    reads: [".npmrc", "pnpm-workspace.yaml", ".pnpmfile.cjs"],
    cache: { pnpm: "/pnpm/store" },
    env: { npm_config_store_dir: "/pnpm/store", npm_config_update_notifier: "false" },
    run: (script) => ["pnpm", "run", script],
    warnings: [],
  };
}

function yarnClassic({ lockfile, from, version }: Found): PackageManager {
  const frozen = lockfile ? " --frozen-lockfile" : "";
  return {
    name: "yarn",
    choice: { value: `yarn ${version ?? "1"}`, from },
    lockfile,
    setup: {
      value: version
        ? `npm install --global --force yarn@${version}`
        : "command -v yarn || npm install --global yarn@1",
      from,
    },
    install: { value: `yarn install${frozen} --non-interactive`, from: lockfile ?? "package.json" },
    install_production: `yarn install${frozen} --production --non-interactive`,
    prune: {
      value: `yarn install${frozen} --production --ignore-scripts --prefer-offline --non-interactive`,
      from: "devDependencies in package.json",
    },
    reads: [".npmrc", ".yarnrc"],
    cache: { yarn: "/usr/local/share/.cache/yarn" },
    env: { YARN_CACHE_FOLDER: "/usr/local/share/.cache/yarn" },
    run: (script) => ["yarn", "run", script],
    warnings: [],
  };
}

function yarnBerry({ lockfile, from, version }: Found, lock: string): PackageManager {
  const format = Number(/__metadata:\s*\n\s*version:\s*(\d+)/.exec(lock)?.[1] ?? "8");
  const release = version ?? (format >= 8 ? "4" : "3");
  const canFocus = Number.parseInt(release, 10) >= 4;
  return {
    name: "yarn-berry",
    choice: { value: `yarn ${release}`, from },
    lockfile,
    setup: {
      value: `npm install --global --force @yarnpkg/cli-dist@${release}`,
      from: version ? from : `__metadata.version in ${lockfile}`,
    },
    install: { value: `yarn install${lockfile ? " --immutable" : ""}`, from: lockfile ?? "package.json" },
    install_production: `yarn install${lockfile ? " --immutable" : ""}${canFocus ? " && yarn workspaces focus --production" : ""}`,
    prune: canFocus
      ? { value: "yarn workspaces focus --all --production", from: "devDependencies in package.json" }
      : null,
    reads: [".yarnrc.yml", ".yarn/"],
    cache: { "yarn-berry": "/root/.yarn/berry" },
    // Programs start with plain `node`, which finds packages in node_modules only.
    env: {
      YARN_NODE_LINKER: "node-modules",
      YARN_ENABLE_GLOBAL_CACHE: "true",
      YARN_ENABLE_TELEMETRY: "0",
      YARN_IGNORE_PATH: "1",
    },
    run: (script) => ["yarn", "run", script],
    warnings: [],
  };
}

function bun({ lockfile, from }: Found): PackageManager {
  const frozen = lockfile ? " --frozen-lockfile" : "";
  return {
    name: "bun",
    choice: { value: "bun", from },
    lockfile,
    setup: null,
    install: { value: `bun install${frozen}`, from: lockfile ?? "package.json" },
    install_production: `bun install${frozen} --production`,
    prune: {
      value: `find . -name node_modules -prune -exec rm -rf {} + && bun install${frozen} --production --ignore-scripts`,
      from: "devDependencies in package.json",
    },
    reads: ["bunfig.toml", ".npmrc"],
    cache: { bun: "/root/.bun/install/cache" },
    env: {},
    run: (script) => ["bun", "run", script],
    warnings: [],
  };
}
