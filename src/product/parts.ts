import type { Config } from "../config.ts";
import type { Runtimes } from "../engine/runtime/runtimes.ts";
import type { GitCache } from "../engine/source/git-cache.ts";
import type { JobRunner } from "../jobs/job-runner.ts";
import type { Log } from "../log.ts";
import type { Audit } from "../security/audit/audit.ts";
import type { Access } from "../security/auth/access.ts";
import type { Vault } from "../security/vault/vault.ts";
import type { Store } from "../store/store.ts";
import type { Apps } from "./apps/apps.ts";
import type { ConfigVars } from "./config/config-vars.ts";
import type { Deployments } from "./deployments/deployments.ts";
import type { Doctor } from "./doctor/doctor.ts";
import type { Environments } from "./environments/environments.ts";
import type { Events } from "./events/events.ts";
import type { Instances } from "./instances/instances.ts";
import type { Registries } from "./registries/registries.ts";
import type { Releases } from "./releases/releases.ts";
import type { Routes } from "./routes/routes.ts";
import type { Credentials } from "./sources/credentials.ts";
import type { SystemFacts } from "./system/system-facts.ts";
import type { Volumes } from "./volumes/volumes.ts";

/** Everything an operation may need, built once by `appliance.ts`. */
export interface Parts {
  settings: Config;
  log: Log;
  store: Store;
  jobs: JobRunner;
  events: Events;
  vault: Vault;
  registries: Registries;
  access: Access;
  audit: Audit;
  runtimes: Runtimes;
  gitCache: GitCache;
  apps: Apps;
  environments: Environments;
  config: ConfigVars;
  credentials: Credentials;
  deployments: Deployments;
  releases: Releases;
  instances: Instances;
  volumes: Volumes;
  routes: Routes;
  system: SystemFacts;
  doctor: Doctor;
}
