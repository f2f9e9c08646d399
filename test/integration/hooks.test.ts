import { afterAll, beforeAll, expect, test } from "bun:test";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

interface Deployment {
  id: string;
  status: string;
  step: string;
  error: { code: string; detail: string; hint: string } | null;
  warnings: { code: string; detail: string; evidence: string[] }[];
}

let box: Box;
let git: GitServer;

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
}, 60_000);
afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

/** Serves its volume, in which each hook leaves a line. */
const DOCKERFILE = `FROM busybox:1.36
VOLUME /data
COPY index.html /data/index.html
CMD ["httpd", "-f", "-p", "8080", "-h", "/data"]
`;

const commit = (name: string, files: Record<string, string | object>) =>
  git.commit(
    name,
    Object.fromEntries(
      Object.entries({ Dockerfile: DOCKERFILE, "index.html": "here\n", ...files }).map(([path, content]) => [
        path,
        typeof content === "string" ? content : JSON.stringify(content),
      ]),
    ),
  );

const deploymentOf = async (id: string) => (await box.api<Deployment>("GET", `/deployments/${id}`)).body;
const logOf = async (id: string) => (await box.api<string>("GET", `/deployments/${id}/log`)).body;
const again = async (app: string) => {
  const { status, body } = await box.api<{ deployment_id: string }>("POST", `/apps/${app}/deployments`, {});
  expect({ status, body }).toMatchObject({ status: 201 });
  return deploymentOf(body.deployment_id);
};
const runsOf = async (port: number) => {
  const response = await box.app(port, "/runs");
  return response.status === 200 ? (await response.text()).trim().split("\n") : [];
};

test("app.json stops a deployment before the build, sets what nobody set, and counts at first", async () => {
  await commit("wanted", {
    Procfile: "worker: exec sleep 1000\nrelease: echo release >> /data/runs",
    "app.json": {
      env: {
        MODE: "production",
        SESSION_KEY: { description: "Signs cookies", generator: "secret" },
        MAIL_FROM: { description: "Sender of mails", pattern: ".+@.+" },
        MAIL_COPY: { required: false },
      },
      formation: { worker: { quantity: 2, size: "standard-2x" } },
      scripts: { postdeploy: 'echo "postdeploy $MODE" >> /data/runs' },
      addons: ["heroku-postgresql"],
    },
  });
  const deploy = (env: Record<string, string>) =>
    box.api<{ code: string; detail: string; hint: string; deployment_id: string; port: number }>(
      "POST",
      "/deploy",
      {
        repo_url: git.url("wanted"),
        name: "wanted",
        env_vars: Object.entries(env).map(([name, value]) => ({ name, value })),
      },
    );
  const missing = await deploy({});
  expect(missing).toMatchObject({ status: 422, body: { code: "config_missing" } });
  expect(missing.body.detail).toContain("MAIL_FROM (Sender of mails)");
  expect(missing.body.hint).toContain("diplo config:set -a wanted MAIL_FROM=");
  expect(await logOf(missing.body.deployment_id)).not.toContain("FROM busybox");
  await box.api("PATCH", "/apps/wanted", { drain_s: 0 });
  const wrong = await deploy({ MAIL_FROM: "nobody-secret" });
  expect(wrong.body).toMatchObject({ code: "config_invalid" });
  expect(JSON.stringify(wrong.body) + (await logOf(wrong.body.deployment_id))).not.toContain("nobody-secret");

  const live = await deploy({ MAIL_FROM: "me@example.org" });
  expect(live).toMatchObject({ status: 201 });
  const log = await logOf(live.body.deployment_id);
  expect(log).toContain("config MODE: the default of app.json");
  expect(log).toContain("release: echo release >> /data/runs (from Procfile)");
  expect(log).toContain("(from scripts.postdeploy in app.json)");
  expect(log).toContain("add-ons (heroku-postgresql): not yet");
  expect(await runsOf(live.body.port)).toEqual(["release", "postdeploy production"]);
  const { body: formation } = await box.api<{ process: string }[]>("GET", "/apps/wanted/instances");
  expect(formation.map(({ process }) => process).sort()).toEqual(["web", "worker", "worker"]);
  const { body: app } = await box.api<{ settings: { limits: object } }>("GET", "/apps/wanted");
  expect(app.settings.limits).toMatchObject({ memory: "1g", cpus: 2 });
  const reveal = async () =>
    Object.fromEntries(
      (await box.api<{ name: string; value: string }[]>("GET", "/apps/wanted/env?reveal=true")).body.map(
        ({ name, value }) => [name, value],
      ),
    );
  const config = await reveal();
  expect(config.SESSION_KEY).toMatch(/^[0-9a-f]{64}$/);
  expect(log).not.toContain(config.SESSION_KEY);

  await box.api("PATCH", "/apps/wanted/env", { MODE: null });
  await box.settled();
  const unset = await box.api<{ code: string; detail: string }>("POST", "/apps/wanted/deployments", {});
  expect(unset).toMatchObject({ status: 422, body: { code: "config_missing" } });
  expect(unset.body.detail).toContain("MODE was unset before");
  await box.api("PATCH", "/apps/wanted/env", { MODE: "own" });
  await again("wanted");
  expect(await reveal()).toEqual({ ...config, MODE: "own" });
  const runs = await runsOf(live.body.port);
  expect(runs.filter((line) => line.startsWith("postdeploy"))).toHaveLength(1);
}, 120_000);

test("app.json that is none fails with its place", async () => {
  await commit("broken", { "app.json": '{\n  "env": {\n}' });
  const { body } = await box.api<{ code: string; detail: string }>("POST", "/deploy", {
    repo_url: git.url("broken"),
    name: "broken",
  });
  expect(body).toMatchObject({ code: "app_json_invalid" });
  expect(body.detail).toContain("line 3, column 2");
}, 60_000);

test("hooks.post_deploy that fails, or never ends, warns: the release is live all the same", async () => {
  await commit("late", {});
  const { port } = await box.deploy({ repo_url: git.url("late"), name: "late" });
  await box.api("PATCH", "/apps/late", { drain_s: 0, hooks: { post_deploy: "echo seeding; exit 3" } });
  const failed = await again("late");
  expect(failed).toMatchObject({ status: "success", step: "live", error: null });
  expect(failed.warnings).toMatchObject([{ code: "post_deploy_failed", evidence: ["seeding"] }]);
  expect(failed.warnings[0]!.detail).toContain("exit code 3");
  expect(failed.warnings[0]!.detail).toContain("the app's setting hooks.post_deploy");
  expect((await box.app(port)).status).toBe(200);

  await box.api("PATCH", "/apps/late", { hook_timeout_s: 10, hooks: { post_deploy: "sleep 1000" } });
  const { body: stuck } = await box.api<Deployment>("POST", "/apps/late/deployments", { wait: false });
  await box.until("the hook runs", async () => (await deploymentOf(stuck.id)).step === "finishing");
  await box.api("POST", `/deployments/${stuck.id}/cancel`, {});
  await box.ended(stuck.id);
  const cancelled = await deploymentOf(stuck.id);
  expect(cancelled).toMatchObject({
    status: "success",
    error: null,
    warnings: [{ code: "post_deploy_failed" }],
  });
  expect((await box.app(port)).status).toBe(200);
  const tooLong = await again("late");
  expect(tooLong.warnings[0]!.detail).toContain("did not end within 10 seconds");
  await box.settled();
  const runtime = await box.runtime();
  expect((await runtime.list({ app: "late" })).map(({ name }) => name)).toHaveLength(1);
  await runtime.close();
}, 120_000);

test("hooks.release of the app wins over the Procfile, and its failure keeps the traffic where it is", async () => {
  await commit("gate", { Procfile: "release: echo procfile" });
  const { port } = await box.deploy({ repo_url: git.url("gate"), name: "gate" });
  await box.api("PATCH", "/apps/gate", { hooks: { release: "echo setting; exit 4" } });
  await commit("gate", { "index.html": "newer\n" });
  const { status, body } = await box.api<{ code: string; deployment_id: string }>(
    "POST",
    "/apps/gate/deployments",
    {},
  );
  expect({ status, body }).toMatchObject({ status: 422, body: { code: "release_command_failed" } });
  const log = await logOf(body.deployment_id);
  expect(log).toContain("release: setting");
  expect(log).not.toContain("release: procfile");
  expect(await (await box.app(port)).text()).toBe("here\n");
}, 120_000);

for (const at of ["deployment:finishing", "deployment:clearing"])
  test(`serve killed at ${at} runs the post_deploy hook once`, async () => {
    const name = `once-${at.split(":")[1]}`;
    await commit(name, { "app.json": { hooks: { post_deploy: "echo began >> /data/runs; sleep 1" } } });
    await box.kill("SIGKILL");
    await box.serve({ crashAt: at });
    const { body } = await box.api<Deployment>("POST", "/deploy", {
      repo_url: git.url(name),
      name,
      wait: false,
    });
    await box.died();
    await box.serve();
    await box.ended(body.id);
    expect(await deploymentOf(body.id)).toMatchObject({ status: "success", error: null, warnings: [] });
    await box.settled();
    const { body: app } = await box.api<{ port: number }>("GET", `/apps/${name}`);
    expect(await runsOf(app.port)).toEqual(["began"]);
    const runtime = await box.runtime();
    expect((await runtime.list({ app: name })).map(({ name }) => name)).toHaveLength(1);
    await runtime.close();
  }, 120_000);

test("serve killed while the post_deploy hook runs finds it again, and does not begin it anew", async () => {
  await commit("midst", {
    "app.json": { hooks: { post_deploy: "echo began >> /data/runs; sleep 4; echo ended" } },
  });
  const { body } = await box.api<Deployment>("POST", "/deploy", {
    repo_url: git.url("midst"),
    name: "midst",
    wait: false,
  });
  const port = async () => (await box.api<{ port: number }>("GET", "/apps/midst")).body.port;
  await box.until("the hook runs", async () => (await runsOf(await port())).includes("began"));
  await box.kill("SIGKILL");
  await box.serve();
  await box.ended(body.id);
  expect(await deploymentOf(body.id)).toMatchObject({ status: "success", error: null, warnings: [] });
  expect(await logOf(body.id)).toContain("post_deploy: ended");
  expect(await runsOf(await port())).toEqual(["began"]);
}, 120_000);
