import { deployKeyPage } from "../../engine/source/deploy-key-page.ts";
import { knownHostOf } from "../../engine/source/known-hosts.ts";
import { DiploError, PermanentError } from "../../errors.ts";
import type { DeployKeyBody } from "./credentials.ts";

/** Hosts answer either to a key they do not know: some keep it to themselves that there is such a repository. */
const REFUSALS = ["auth_failed", "repo_not_found"];

/** An ssh host that does not let us in: which key to add where. Other errors stay as they are. */
export function explainAccess(error: unknown, repo_url: string, key: DeployKeyBody | null): unknown {
  const host = knownHostOf(repo_url);
  if (!(error instanceof DiploError) || host === null || !REFUSALS.includes(error.code)) return error;
  const page = deployKeyPage(repo_url) ?? `${host}, in the repository's settings`;
  return new PermanentError("auth_failed", error.message, {
    detail: `${host} does not let ${key ? "the app's deploy key" : "this box"} read ${repo_url}.`,
    hint: key
      ? `Add this deploy key at ${page} (reading is enough), then deploy again: ${key.public_key}`
      : "Make the app a deploy key and add it at the host: diplo deploy-key:create -a NAME",
    evidence: error.evidence,
    cause: error,
  });
}
