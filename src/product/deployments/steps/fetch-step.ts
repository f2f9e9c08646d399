import { rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { ulid } from "ulid";
import { paths } from "../../../config.ts";
import type { Checkout } from "../../../engine/build/build-input.ts";
import { fetchSource } from "../../../engine/source/fetch-source.ts";
import type { SourceSpec } from "../../../engine/source/source.ts";
import { PermanentError } from "../../../errors.ts";
import type { Step } from "../../../jobs/job.ts";
import { explainAccess } from "../../sources/explain-access.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";

const DEADLINE_MS = 10 * 60_000;

/** Brings the source into `<data>/work/<deployment>/<attempt>/`. */
export function fetchStep(parts: DeploymentParts): Step<DeploymentState> {
  return {
    deadlineMs: DEADLINE_MS,
    attempts: 3,
    onDeadline: () => new PermanentError("fetch_timeout", "fetching the source took longer than 10 minutes"),
    async run({ state, attempt, signal, log, progress }) {
      const { store, settings } = parts;
      const source = state.request.source as SourceSpec;
      progress("fetching the source");
      const environment = parts.environments.byId(state.environment_id);
      await parts.vault.ready();
      const work = workDirectory(parts, state);
      const fetching = fetchSource(source, {
        directory: join(work, String(attempt), "tree"),
        cache: parts.gitCache,
        credential: parts.credentials.open(environment.app_id, source),
        uploads: paths.uploads(settings.data),
        signal,
        deadlineMs: DEADLINE_MS,
        onLine: (text) => log.line(text),
      });
      // Half a tree must not keep the disk full that it filled: the database needs room to say so.
      const tree = await fetching.catch(async (error) => {
        await rm(work, { recursive: true, force: true });
        if (source.kind !== "git") throw error;
        throw explainAccess(error, source.repo_url, parts.credentials.deployKey(environment.app_id));
      });
      const sourceId = ulid();
      return {
        next: "planning",
        state: { tree: tree.directory, root: tree.root, source_id: sourceId },
        evidence: { commit: tree.commit, ref: tree.ref, archive: tree.archive_sha256 },
        apply: () => {
          store.run(
            `insert into sources (id, environment_id, spec, commit_sha, archive_sha256, message, author, ref, fetched_at)
             values ($sourceId, $environmentId, $spec, $commit, $archive, $message, $author, $ref, $now)`,
            {
              sourceId,
              environmentId: state.environment_id,
              spec: JSON.stringify(source),
              commit: tree.commit,
              archive: tree.archive_sha256,
              message: tree.message,
              author: tree.author,
              ref: tree.ref,
              now: Date.now(),
            },
          );
          store.run("update deployments set source_id = $sourceId where id = $id", {
            sourceId,
            id: state.deployment_id,
          });
          return undefined;
        },
      };
    },
  };
}

/** What was fetched, for planning and building. */
export function checkoutOf({ tree = "", root = tree }: DeploymentState): Checkout {
  return { root, subdirectory: relative(root, tree) };
}

/** Everything a deployment puts on disk while it works. */
export function workDirectory(parts: DeploymentParts, state: DeploymentState): string {
  return join(paths.work(parts.settings.data), state.deployment_id);
}
