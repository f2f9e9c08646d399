import type { App } from "../../src/product/apps/app.ts";
import {
  DEPLOYMENT_STEPS,
  type Deployment,
  type DeploymentStep,
} from "../../src/product/deployments/deployment.ts";
import { DEFAULT_SETTINGS } from "../../src/product/environments/settings.ts";

interface Wanted {
  status: Deployment["status"];
  /** done or failed: how long in ms; running: since when. */
  steps?: Record<string, ["done" | "failed", number] | ["running", string]>;
  error?: Deployment["error"];
  app?: string;
}

export function deployment({ status, steps = {}, error = null, app = "blog" }: Wanted): Deployment {
  const over = status !== "queued" && status !== "building" && status !== "deploying";
  return {
    id: "01D",
    app,
    app_id: "01A",
    environment: "production",
    status,
    step: over ? "live" : status,
    progress: 0,
    message: "",
    trigger: "user",
    created_by: "owner",
    source: null,
    commit: "0123456789abcdef0123456789abcdef01234567",
    commit_message: "say hello",
    author: "ada",
    steps: DEPLOYMENT_STEPS.map((name) => step(name, steps[name])),
    release: status === "success" ? 4 : null,
    error,
    warnings: [],
    job_id: "01J",
    created_at: "2026-01-31T12:00:00.000Z",
    finished_at: over ? "2026-01-31T12:00:34.000Z" : null,
  };
}

function step(name: string, wanted?: ["done" | "failed", number] | ["running", string]): DeploymentStep {
  if (!wanted) return { name, status: "pending", started_at: null, duration_ms: null };
  const [status, value] = wanted;
  if (status === "running")
    return { name, status, started_at: `2026-01-31T${value}.000Z`, duration_ms: null };
  return { name, status, started_at: "2026-01-31T12:00:00.000Z", duration_ms: value as number };
}

export function app(more: Partial<App> = {}): App {
  return {
    id: "01A",
    name: "blog",
    environment: "production",
    status: "running",
    url: "http://blog.local",
    urls: ["http://blog.local", "http://192.168.1.5:3000"],
    port: 3000,
    source: {
      kind: "git",
      repo_url: "https://example.org/blog",
      branch: "main",
      tag: null,
      commit: null,
      image: null,
      subdirectory: "",
    },
    release: 4,
    commit: "0123456789abcdef0123456789abcdef01234567",
    commit_message: "say hello",
    deployed_at: "2026-01-31T11:57:00.000Z",
    deployed_by: "owner",
    deployment_id: null,
    error: null,
    instances: { wanted: 1, running: 1 },
    runtime_type: "docker",
    settings: DEFAULT_SETTINGS,
    created_at: "2026-01-31T10:00:00.000Z",
    ...more,
  };
}
