import type { PackageJson } from "./package-json.ts";
import type { PackageManager } from "./package-manager.ts";

/**
 * Scripts that an installation runs by itself. Most need the tree (`prisma generate`, `nuxt prepare`): they wait until
 * it is there, so that the installation rests on manifests alone and a change of code does not repeat it.
 */
export interface InstallScripts {
  /** Taken out of package.json before the installation. */
  held: string[];
  /** Those of them that are run once the tree is there; the rest only mind a developer's own checkout. */
  deferred: string[];
  /** Something has to run before anything is installed: the whole tree has to be there first. */
  needsTree: boolean;
}

const ORDER = ["install", "postinstall", "prepare"];
/** Git hooks, and which package manager a developer has to use. */
const FOR_DEVELOPERS =
  /^(?:is-ci \|\| )?(?:husky(?: install)?|simple-git-hooks|lefthook install|npx only-allow \w+)(?: \|\| (?:true|exit 0))?$/;

export function installScripts({ scripts }: PackageJson): InstallScripts {
  const isForDevelopers = (name: string) => FOR_DEVELOPERS.test(scripts[name]?.trim() ?? "");
  const present = ["preinstall", ...ORDER].filter((name) => scripts[name] !== undefined);
  return {
    held: present,
    deferred: present.filter((name) => ORDER.includes(name) && !isForDevelopers(name)),
    needsTree: present.includes("preinstall") && !isForDevelopers("preinstall"),
  };
}

/** An installation that runs none of the held scripts. */
export function holding({ held }: InstallScripts, manager: PackageManager, install: string): string {
  if (held.length === 0) return install;
  const names = held.map((name) => `scripts.${name}`).join(" ");
  return `${manager.name === "bun" ? "bun pm" : "npm"} pkg delete ${names} && ${install}`;
}
