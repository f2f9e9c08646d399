import { rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { ulid } from "ulid";
import { paths } from "../../../config.ts";
import type { Checkout } from "../../../engine/build/build-input.ts";
import { parseImage } from "../../../engine/runtime/image-reference.ts";
import { fetchSource } from "../../../engine/source/fetch-source.ts";
import type { SourceSpec, TreeSource, WorkingTree } from "../../../engine/source/source.ts";
import { PermanentError } from "../../../errors.ts";
import type { Step, StepContext } from "../../../jobs/job.ts";
import { explainAccess } from "../../sources/explain-access.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
import { endPull, fetchImage } from "../fetch-image.ts";

const DEADLINE_MS = 10 * 60_000;

/** What fetching found: a tree to build, or an image that needs no building. */
interface Found extends Omit<WorkingTree, "directory" | "root"> {
  state: Pick<DeploymentState, "tree" | "root" | "image">;
  evidence: Record<string, unknown>;
}

/** Brings the source here: a tree into `<data>/work/<deployment>/<attempt>/`, an image to the engine. */
export function fetchStep(parts: DeploymentParts): Step<DeploymentState> {
  const deadlineMs = ({ request, environment_id }: DeploymentState) =>
    request.source?.kind === "image"
      ? parts.environments.byId(environment_id).settings.build_timeout_s * 1000
      : DEADLINE_MS;
  return {
    deadlineMs,
    attempts: 3,
    onDeadline: (state) =>
      new PermanentError(
        "fetch_timeout",
        `fetching the source took longer than ${Math.round(deadlineMs(state) / 1000)} s`,
      ),
    async run(context) {
      const { store } = parts;
      const { state, progress } = context;
      const source = state.request.source as SourceSpec;
      progress("fetching the source");
      const found =
        source.kind === "image"
          ? await imageFound(parts, context, source.image)
          : await treeFound(parts, context, source);
      const sourceId = ulid();
      return {
        next: "planning",
        state: { ...found.state, source_id: sourceId },
        evidence: found.evidence,
        apply: () => {
          store.run(
            `insert into sources (id, environment_id, spec, commit_sha, archive_sha256, message, author, ref, fetched_at)
             values ($sourceId, $environmentId, $spec, $commit, $archive, $message, $author, $ref, $now)`,
            {
              sourceId,
              environmentId: state.environment_id,
              spec: JSON.stringify(source),
              commit: found.commit,
              archive: found.archive_sha256,
              message: found.message,
              author: found.author,
              ref: found.ref,
              now: Date.now(),
            },
          );
          store.run("update deployments set source_id = $sourceId where id = $id", {
            sourceId,
            id: state.deployment_id,
          });
          endPull(parts, state.deployment_id);
          return undefined;
        },
      };
    },
  };
}

async function treeFound(
  parts: DeploymentParts,
  { state, attempt, signal, log }: StepContext<DeploymentState>,
  source: TreeSource,
): Promise<Found> {
  const environment = parts.environments.byId(state.environment_id);
  await parts.vault.ready();
  const work = workDirectory(parts, state);
  const fetching = fetchSource(source, {
    directory: join(work, String(attempt), "tree"),
    cache: parts.gitCache,
    credential: parts.credentials.open(environment.app_id, source),
    uploads: paths.uploads(parts.settings.data),
    signal,
    deadlineMs: DEADLINE_MS,
    onLine: (text) => log.line(text),
  });
  // Half a tree must not keep the disk full that it filled: the database needs room to say so.
  const { directory, root, ...tree } = await fetching.catch(async (error) => {
    await rm(work, { recursive: true, force: true });
    if (source.kind !== "git") throw error;
    throw explainAccess(error, source.repo_url, parts.credentials.deployKey(environment.app_id));
  });
  const evidence = { commit: tree.commit, ref: tree.ref, archive: tree.archive_sha256 };
  return { ...tree, state: { tree: directory, root }, evidence };
}

async function imageFound(
  parts: DeploymentParts,
  context: StepContext<DeploymentState>,
  name: string,
): Promise<Found> {
  const image = await fetchImage(parts, context, name);
  const none = { commit: null, archive_sha256: null, message: null, author: null };
  return { ...none, ref: parseImage(name).tag, state: { image }, evidence: { image: image.pinned } };
}

/** What was fetched, for planning and building. */
export function checkoutOf({ tree = "", root = tree }: DeploymentState): Checkout {
  return { root, subdirectory: relative(root, tree) };
}

/** Everything a deployment puts on disk while it works. */
export function workDirectory(parts: DeploymentParts, state: DeploymentState): string {
  return join(paths.work(parts.settings.data), state.deployment_id);
}
