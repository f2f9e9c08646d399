import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDamagedCache, isDiskFull } from "./explain-git.ts";
import { type GitOptions, git } from "./git.ts";
import { canonical } from "./repo-url.ts";

/** Packs after which a repository is repacked. */
const MAX_PACKS = 30;

/** A bare repository that holds what was fetched before, so that only what is new travels. */
export interface CachedRepository {
  directory: string;
  /** Environment for every git command on it. */
  env: Record<string, string>;
}

/**
 * Bare repositories, one per source address. Work on one is queued: git's own locks do not wait. It is a cache:
 * whatever is broken in it is thrown away and fetched again.
 */
export class GitCache {
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(
    readonly directory: string,
    /** Certificates for https instead of the machine's own. */
    readonly caFile?: string | undefined,
  ) {}

  /** Keys of ssh hosts, pinned at first sight. Kept when repositories are pruned. */
  get knownHosts(): string {
    return join(this.directory, "known_hosts");
  }

  /** Runs work on the address's repository, alone. A damaged repository is made anew, once. */
  async use<T>(
    repo_url: string,
    options: GitOptions,
    work: (repository: CachedRepository) => Promise<T>,
  ): Promise<T> {
    const name = createHash("sha256").update(canonical(repo_url)).digest("hex").slice(0, 32);
    const directory = join(this.directory, `${name}.git`);
    const turn = this.#queues.get(name) ?? Promise.resolve();
    const task = turn.then(async () => {
      try {
        return await work(await this.#open(directory, repo_url, options));
      } catch (error) {
        if (!isDamagedCache(error) && !isDiskFull(error)) throw error;
        // On a full disk the cache, with what git left half written, is the first thing to go.
        await rm(directory, { recursive: true, force: true });
        if (isDiskFull(error)) throw error;
        return work(await this.#open(directory, repo_url, options));
      }
    });
    const settled = task.catch(() => undefined);
    this.#queues.set(name, settled);
    settled.finally(() => this.#queues.get(name) === settled && this.#queues.delete(name));
    return task;
  }

  /** Removes repositories not used for this long. */
  async prune(maxAgeMs: number): Promise<void> {
    for (const name of await readdir(this.directory).catch(() => [])) {
      if (!name.endsWith(".git")) continue;
      const path = join(this.directory, name);
      const used = (await stat(path)).mtimeMs;
      if (Date.now() - used > maxAgeMs && !this.#queues.has(name.replace(/\.git$/, ""))) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }

  async #open(directory: string, repo_url: string, options: GitOptions): Promise<CachedRepository> {
    const isNew = !(await isComplete(directory));
    if (isNew) {
      await rm(directory, { recursive: true, force: true });
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
      await git(["init", "--quiet", "--bare", "--template=", "--", directory], options);
    }
    await rm(join(directory, "shallow.lock"), { force: true });
    const env = await ownership(directory, repo_url);
    await repack(directory, options);
    const now = new Date();
    await utimes(directory, now, now);
    return { directory, env };
  }
}

async function isComplete(directory: string): Promise<boolean> {
  return (await stat(join(directory, "HEAD")).catch(() => null)) !== null;
}

/**
 * git refuses a local repository of another user (safe.directory), and takes exceptions from a configuration file
 * only. A path that its owner asked for is meant.
 */
async function ownership(directory: string, repo_url: string): Promise<Record<string, string>> {
  if (!repo_url.startsWith("/")) return {};
  const path = join(directory, "diplo-local-config");
  const value = (text: string) => `"${text.replace(/[\\"]/g, "\\$&")}"`;
  await writeFile(
    path,
    `[safe]\n\tdirectory = ${value(repo_url)}\n\tdirectory = ${value(join(repo_url, ".git"))}\n`,
  );
  return { GIT_CONFIG_GLOBAL: path };
}

async function repack(directory: string, options: GitOptions): Promise<void> {
  const packs = await readdir(join(directory, "objects", "pack")).catch(() => []);
  if (packs.filter((name) => name.endsWith(".pack")).length <= MAX_PACKS) return;
  await git(["-C", directory, "gc", "--quiet", "--prune=now"], options);
}
