import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config.ts";
import { paths } from "../../config.ts";
import { openDirectoryTree } from "../../engine/build/directory-tree.ts";
import type { BuildPlan } from "../../engine/build/plan.ts";
import { DEFAULT_BUILD_OPTIONS, planBuild } from "../../engine/build/plan-build.ts";
import { fetchSource } from "../../engine/source/fetch-source.ts";
import type { GitCache } from "../../engine/source/git-cache.ts";
import { lookAtSource } from "../../engine/source/look-at-source.ts";
import { parseRepoUrl } from "../../engine/source/repo-url.ts";
import { suggestName } from "../apps/app-name.ts";
import { parseDotenv } from "../config/dotenv.ts";

export interface LookInput {
  repo_url: string;
  branch?: string;
  subdirectory?: string;
  github_token?: string;
}

const DEADLINE_MS = 60_000;

/** Fetches a repository (into the same cache a deployment uses), plans it and throws the tree away again. */
export async function lookAtRepository(
  input: LookInput,
  signal: AbortSignal,
  { settings, gitCache }: { settings: Config; gitCache: GitCache },
) {
  const { spec, credential: inUrl } = parseRepoUrl(input.repo_url);
  const credential = input.github_token ? ({ kind: "token", token: input.github_token } as const) : inUrl;
  const wanted = {
    ...spec,
    branch: input.branch || spec.branch,
    subdirectory: input.subdirectory || spec.subdirectory,
  };
  const work = paths.work(settings.data);
  const directory = await mkdtemp(join(work, "look-"));
  try {
    const [remote, tree] = await Promise.all([
      lookAtSource(wanted, { credential, trust: gitCache, signal, deadlineMs: DEADLINE_MS }),
      fetchSource(wanted, {
        directory: join(directory, "tree"),
        cache: gitCache,
        credential,
        uploads: paths.uploads(settings.data),
        signal,
        deadlineMs: DEADLINE_MS,
        onLine: () => {},
      }),
    ]);
    const plan = await planBuild(tree.directory, DEFAULT_BUILD_OPTIONS);
    return {
      repo_url: wanted.repo_url,
      suggested_name: suggestName(wanted.repo_url),
      branch: tree.ref ?? remote.default_branch,
      branches: remote.branches,
      commit: tree.commit,
      provider: plan.provider,
      findings: findings(plan),
      config: await expectedConfig(tree.directory),
      warnings: plan.warnings,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function findings(plan: BuildPlan): { label: string; value: string; from: string }[] {
  const found = [{ label: "Builder", value: plan.provider, from: plan.evidence.join(", ") }];
  for (const [label, choice] of Object.entries(plan.versions))
    found.push({ label, value: choice.value, from: choice.from });
  if (plan.package_manager) found.push({ label: "Package manager", ...plan.package_manager });
  if (plan.framework) found.push({ label: "Framework", ...plan.framework });
  for (const [name, { command, from }] of Object.entries(plan.processes))
    found.push({ label: `Process ${name}`, value: command?.join(" ") ?? "the image's own command", from });
  if (plan.static)
    found.push({ label: "Served from", value: plan.static.root.value, from: plan.static.root.from });
  if (plan.port) found.push({ label: "Port", value: String(plan.port.value), from: plan.port.from });
  return found;
}

interface ExpectedVar {
  name: string;
  value: string;
  description: string;
  required: boolean;
}

/** What `.env.example` and app.json say the app needs. A file that cannot be read as such says nothing. */
async function expectedConfig(directory: string): Promise<ExpectedVar[]> {
  const tree = await openDirectoryTree(directory);
  const vars = new Map<string, ExpectedVar>();
  for (const file of [".env.example", ".env.sample", ".env.template"]) {
    const text = await tree.read(file);
    if (text === null) continue;
    try {
      for (const [name, value] of parseDotenv(text))
        vars.set(name, { name, value, description: `from ${file}`, required: false });
    } catch {
      continue;
    }
    break;
  }
  for (const entry of appJsonVars((await tree.read("app.json")) ?? "{}")) vars.set(entry.name, entry);
  return [...vars.values()].filter(({ name }) => name !== "PORT" && !name.startsWith("DIPLO_"));
}

function appJsonVars(text: string): ExpectedVar[] {
  try {
    const env = (JSON.parse(text) as { env?: Record<string, unknown> }).env ?? {};
    return Object.entries(env).map(([name, entry]) => {
      if (typeof entry === "string")
        return { name, value: entry, description: "from app.json", required: true };
      const { value, description, required } = (entry ?? {}) as {
        value?: string;
        description?: string;
        required?: boolean;
      };
      return {
        name,
        value: String(value ?? ""),
        description: String(description ?? "from app.json"),
        required: required !== false,
      };
    });
  } catch {
    return [];
  }
}
