import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "../../src/config.ts";
import { Runtimes } from "../../src/engine/runtime/runtimes.ts";
import { GitCache } from "../../src/engine/source/git-cache.ts";
import { conflict, notFound } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import type { App } from "../../src/product/apps/app.ts";
import { ConfigVars } from "../../src/product/config/config-vars.ts";
import type { Deployment } from "../../src/product/deployments/deployment.ts";
import { Environments } from "../../src/product/environments/environments.ts";
import { DEFAULT_SETTINGS } from "../../src/product/environments/settings.ts";
import { Registries } from "../../src/product/registries/registries.ts";
import { Credentials } from "../../src/product/sources/credentials.ts";
import { Vault } from "../../src/security/vault/vault.ts";
import type { Store } from "../../src/store/store.ts";
import { errorPage } from "../../src/web/error-page.tsx";
import { webRoutes } from "../../src/web/web-routes.ts";
import { type ControlBox, startControlBox } from "../api/control-box.ts";

export interface WebBox extends AsyncDisposable {
  box: ControlBox;
  /** What the nouns without an engine were asked to do. */
  asked: { what: string; input: unknown }[];
  /** As a signed-in browser on this origin. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Response>;
}

/** Headers of an htmx request that wants a part of a page. */
export const part = { "hx-request": "true", "hx-request-type": "partial" };
export const full = { "hx-request": "true", "hx-request-type": "full" };

const JOB = "01JD8Z0000000000000000DEPL";

export const deployment: Deployment = {
  id: JOB,
  app: "blog",
  app_id: "01APP",
  environment: "production",
  status: "building",
  step: "building",
  progress: 0.3,
  message: "npm ci",
  trigger: "user",
  created_by: "owner",
  source: null,
  commit: null,
  commit_message: null,
  author: null,
  steps: [],
  release: null,
  error: null,
  warnings: [],
  job_id: JOB,
  created_at: "2026-11-21T12:00:00.000Z",
  finished_at: null,
};

const app: App = {
  id: "01APP",
  name: "blog",
  environment: "production",
  status: "running",
  url: "http://blog.local",
  urls: ["http://blog.local"],
  port: 3000,
  source: null,
  release: 1,
  commit: null,
  commit_message: null,
  deployed_at: null,
  deployed_by: null,
  deployment_id: null,
  error: null,
  instances: { wanted: 1, running: 1 },
  runtime_type: "docker",
  settings: DEFAULT_SETTINGS,
  created_at: "2026-11-21T12:00:00.000Z",
};

/** The dashboard behind the real front door: real store, sessions, vault, config and jobs; what needs an engine notes what it was asked. */
export async function startWebBox(stubs: object = {}): Promise<WebBox> {
  const asked: WebBox["asked"] = [];
  const note = (what: string, answer: unknown) => (input: unknown) => {
    asked.push({ what, input });
    return answer;
  };
  const nouns = {
    apps: {
      list: () => [app],
      get: (ref: string) => {
        if (ref === "blog") return app;
        throw notFound("app", ref, "diplo apps lists those there are.");
      },
      create: (name: string) => {
        if (name === "blog") throw conflict("app_exists", `the app "${name}" exists already`);
        return note("create", app)(name);
      },
      change: (ref: string, changes: unknown) => note("change", app)({ ref, changes }),
      destroy: note("destroy", { job_id: "01J", kept_volumes: [] }),
    },
    deployments: {
      deploy: note("deploy", deployment),
      again: note("again", deployment),
      get: () => deployment,
      list: () => [],
      ofConfigChange: () => null,
    },
    releases: { list: () => [] },
    instances: {
      list: () => [],
      formation: () => [],
      scale: note("scale", { formation: [], deployment_id: null }),
    },
    volumes: { list: () => [] },
    requests: { history: () => [], totals: () => [] },
    ...stubs,
  };
  const box = await startControlBox({ handRoutes: webRoutes, errorPage, stubs: nouns });
  await addConfig(box);
  const cookie = box.cookie();
  const ask = (path: string, init: RequestInit) => fetch(box.url + path, { redirect: "manual", ...init });
  return {
    box,
    asked,
    get: (path, headers = {}) => ask(path, { headers: { cookie, accept: "text/html", ...headers } }),
    post: (path, fields, headers = {}) =>
      ask(path, {
        method: "POST",
        headers: { cookie, origin: box.url, ...headers },
        body: new URLSearchParams(fields),
      }),
    [Symbol.asyncDispose]: () => box[Symbol.asyncDispose](),
  };
}

/** Config and sources for real: an environment in the store, values sealed by a vault, repositories on disk. */
async function addConfig(box: ControlBox): Promise<void> {
  const { parts } = box;
  const { store, settings } = parts;
  const log = createLog("error", () => {});
  const runtimes = new Runtimes({
    log,
    detect: async () => [],
    connect: async () => Promise.reject(new Error("none")),
  });
  const environments = new Environments({ store: store as Store, settings, runtimes });
  await environments.create("blog", "owner");
  const vault = await Vault.open({ keyFile: join(settings.data, "master.key"), store });
  const config = new ConfigVars({ store, vault, environments, deployments: () => parts.deployments });
  const credentials = new Credentials({ store, vault });
  const registries = new Registries({ store, vault, runtimes });
  const gitCache = new GitCache(join(settings.data, "repositories"));
  await mkdir(paths.work(settings.data), { recursive: true });
  Object.assign(parts, { runtimes, environments, vault, config, credentials, registries, gitCache });
}
