import type { Operation } from "../operation.ts";
import * as apps from "./apps/operations.ts";
import * as config from "./config/operations.ts";
import * as deployments from "./deployments/operations.ts";
import * as doctor from "./doctor/operations.ts";
import * as instances from "./instances/operations.ts";
import * as jobs from "./jobs/operations.ts";
import * as registries from "./registries/operations.ts";
import * as releases from "./releases/operations.ts";
import * as requests from "./requests/operations.ts";
import * as routes from "./routes/operations.ts";
import * as sources from "./sources/operations.ts";
import * as system from "./system/operations.ts";
import * as tokens from "./tokens/operations.ts";
import * as volumes from "./volumes/operations.ts";

/** The one table of everything a person or program can ask for. */
export const operations = [
  apps,
  deployments,
  releases,
  config,
  instances,
  volumes,
  routes,
  requests,
  jobs,
  sources,
  registries,
  tokens,
  system,
  doctor,
].flatMap((noun) => Object.values(noun)) as unknown as Operation[];
