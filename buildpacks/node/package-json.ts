import { readJson, type SourceTree } from "../../src/engine/build/tree.ts";

/** The fields of package.json that decide something; every one checked, as a person wrote them. */
export interface PackageJson {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  engines: Record<string, string>;
  /** Versions pinned for volta.sh. */
  volta: Record<string, string>;
  packageManager: string | null;
  main: string | null;
  /** Patterns of member directories; empty when it is no workspace. */
  workspaces: string[];
}

/** Reads package.json; null when absent. Throws what `readJson` throws. */
export async function readPackageJson(tree: SourceTree): Promise<PackageJson | null> {
  const raw = await readJson(tree, "package.json");
  if (raw === null) return null;
  return {
    scripts: texts(raw.scripts),
    dependencies: texts(raw.dependencies),
    devDependencies: texts(raw.devDependencies),
    engines: texts(raw.engines),
    volta: texts(raw.volta),
    packageManager: typeof raw.packageManager === "string" ? raw.packageManager : null,
    main: typeof raw.main === "string" ? raw.main : null,
    workspaces: patterns(raw.workspaces),
  };
}

export function dependsOn(pkg: PackageJson, name: string): boolean {
  return name in pkg.dependencies || name in pkg.devDependencies;
}

function texts(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

/** A list, or yarn's object with a list in it. */
function patterns(value: unknown): string[] {
  const list = Array.isArray(value) ? value : (value as { packages?: unknown } | undefined)?.packages;
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
}
