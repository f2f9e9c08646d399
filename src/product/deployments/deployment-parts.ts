import type { Config } from "../../config.ts";
import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import type { Sites } from "../../engine/site/sites.ts";
import type { GitCache } from "../../engine/source/git-cache.ts";
import type { JobRunner } from "../../jobs/job-runner.ts";
import type { Log } from "../../log.ts";
import type { Vault } from "../../security/vault/vault.ts";
import type { Store } from "../../store/store.ts";
import type { ConfigVars } from "../config/config-vars.ts";
import type { Environments } from "../environments/environments.ts";
import type { InstanceRows } from "../instances/instance-rows.ts";
import type { Registries } from "../registries/registries.ts";
import type { Releases } from "../releases/releases.ts";
import type { Routes } from "../routes/routes.ts";
import type { Credentials } from "../sources/credentials.ts";
import type { Uploads } from "../sources/uploads.ts";
import type { Volumes } from "../volumes/volumes.ts";

/** What the steps of a deployment work with. */
export interface DeploymentParts {
  store: Store;
  settings: Config;
  log: Log;
  jobs: JobRunner;
  vault: Vault;
  registries: Registries;
  runtimes: Runtimes;
  gitCache: GitCache;
  sites: Sites;
  environments: Environments;
  config: ConfigVars;
  credentials: Credentials;
  uploads: Uploads;
  releases: Releases;
  instances: InstanceRows;
  volumes: Volumes;
  routes: Routes;
}
