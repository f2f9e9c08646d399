import { basename } from "node:path";
import { UsageError } from "./usage-error.ts";

interface Clues {
  /** -a */
  flag: string | undefined;
  /** DIPLO_APP */
  variable: string | undefined;
  directory: string;
  exists(name: string): Promise<boolean>;
}

/**
 * Which app a command is about, in this order: -a, DIPLO_APP, the git remote `diplo` of the current directory, and
 * last the directory's own name, if an app is called so. Throws UsageError when none of them tells.
 */
export async function findApp({ flag, variable, directory, exists }: Clues): Promise<string> {
  const named = flag ?? variable ?? remoteApp(directory);
  if (named) return named;
  const guess = basename(directory).toLowerCase();
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(guess) && (await exists(guess))) return guess;
  throw new UsageError("which app? Name it with -a NAME", "DIPLO_APP works too; diplo apps lists them.");
}

/** `blog` of `https://box/git/blog.git`; undefined without such a remote. */
function remoteApp(directory: string): string | undefined {
  try {
    const git = Bun.spawnSync(["git", "-C", directory, "config", "--get", "remote.diplo.url"], {
      stderr: "ignore",
    });
    return /([^/:]+?)(?:\.git)?\/?$/.exec(git.stdout.toString().trim())?.[1];
  } catch {
    return undefined; // no git on this machine
  }
}
