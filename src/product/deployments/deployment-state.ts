import type { FetchedImage } from "../../engine/build/image-plan.ts";
import type { BuildPlan } from "../../engine/build/plan.ts";
import type { SourceSpec } from "../../engine/source/source.ts";
import type { Hook } from "./hooks.ts";

export type Trigger = "user" | "rollback" | "config" | "restart" | "scale" | "start" | "retry";

/** What was asked; kept with the deployment, so that it can be asked again. Holds no secret. */
export interface DeploymentRequest {
  trigger: Trigger;
  /** Fetch and build this; null = nothing to build, the release below is used. */
  source: SourceSpec | null;
  /** Release to go back to; null = the one that serves when the deployment's turn comes. */
  from_release_id: string | null;
  /** Replace instances although the release stays (restart). */
  fresh: boolean;
  clear_cache: boolean;
}

/** State of a deployment job: what the steps so far found. */
export interface DeploymentState {
  deployment_id: string;
  environment_id: string;
  request: DeploymentRequest;
  by: string;
  /** Of a source that has to be built: absolute path of the app's directory, and of the repository it lies in. */
  tree?: string;
  root?: string;
  /** Of one that is built already. */
  image?: FetchedImage;
  source_id?: string;
  plan?: BuildPlan;
  /** Names and versions of the config variables that the build sees. */
  build_config?: Record<string, number>;
  build_id?: string;
  release_id?: string;
  /** Instances that are to serve when it is live: new ones, and those kept. */
  wanted?: string[];
  /** The traffic has moved: what goes wrong from here on is a warning. */
  is_live?: boolean;
  /** To run once it is live. */
  post_deploy?: Hook;
}
