import { afterAll, beforeAll, expect, test } from "bun:test";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";
import { SteadyClient } from "../support/steady-client.ts";

const DOCKERFILE = `FROM busybox:1.36
COPY index.html /www/index.html
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
`;

let box: Box;
let git: GitServer;
let port: number;
let version = 0;

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
  await commit();
  ({ port } = await box.deploy({ repo_url: git.url("app"), name: "app" }));
  await box.api("PATCH", "/apps/app", { drain_s: 2 });
  await box.settled();
}, 120_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

async function commit(files: Record<string, string> = {}): Promise<string> {
  version++;
  await git.commit(
    "app",
    { Dockerfile: DOCKERFILE, "index.html": `version ${version}\n`, ...files },
    `version ${version}`,
  );
  return `version ${version}\n`;
}

/** One live release, exactly its instances, and nothing at the engine that the database does not know. */
async function whole(): Promise<void> {
  await box.settled();
  const runtime = await box.runtime();
  const containers = await runtime.list();
  const instances = (
    await box.api<{ name: string; status: string; routed: boolean }[]>("GET", "/apps/app/instances")
  ).body;
  expect(instances.map(({ status, routed }) => ({ status, routed }))).toEqual([
    { status: "running", routed: true },
  ]);
  expect(containers.map(({ name, state }) => ({ name, state }))).toEqual([
    { name: instances[0]?.name ?? "", state: "running" },
  ]);
  expect((await runtime.listNetworks()).length).toBe(1);
  const releases = (await box.api<{ status: string; image_id: string }[]>("GET", "/apps/app/releases")).body;
  expect(releases.filter(({ status }) => status === "current").length).toBe(1);
  const kept = new Set(
    releases
      .filter(({ status }) => status === "current" || status === "previous")
      .map(({ image_id }) => image_id),
  );
  expect((await runtime.listImages()).map(({ id }) => id).filter((id) => !kept.has(id))).toEqual([]);
  await runtime.close();
}

const DEPLOYMENT = ["fetching", "planning", "building", "releasing", "starting", "verifying", "routing"];
const DRAIN = ["draining", "stopping", "pruning"];

for (const at of [...DEPLOYMENT.map((step) => `deployment:${step}`), ...DRAIN.map((step) => `drain:${step}`)])
  test(`serve killed at ${at} lands in the same place, and no request is lost`, async () => {
    const before = `version ${version}\n`;
    const after = await commit();
    await box.kill("SIGKILL");
    await box.serve({ crashAt: at });
    const client = new SteadyClient(
      `http://127.0.0.1:${port}/`,
      (status, body) => status === 200 && (body === before || body === after),
    );
    const { body } = await box.api<{ id: string }>("POST", "/apps/app/deployments", { wait: false });
    await box.died();
    // The data plane needs no control plane.
    expect((await box.app(port)).status).toBe(200);
    await box.serve();
    expect(await box.ended(body.id)).toMatchObject({ status: "success", error: null });
    await whole();
    await client.stop();
    expect(await (await box.app(port)).text()).toBe(after);
    expect(client.failures).toEqual([]);
    expect(client.requests).toBeGreaterThan(10);
  }, 120_000);

for (const trigger of ["a failing app", "a cancel"])
  test(`serve killed while unwinding ${trigger} keeps the old release and leaves nothing behind`, async () => {
    const before = await (await box.app(port)).text();
    const slow = trigger === "a cancel" ? "RUN sleep 30" : "";
    await commit({ Dockerfile: `FROM busybox:1.36\nRUN echo ${version}\n${slow}\nCMD ["false"]\n` });
    await box.kill("SIGKILL");
    await box.serve({ crashAt: "deployment:unwinding" });
    const client = new SteadyClient(
      `http://127.0.0.1:${port}/`,
      (status, body) => status === 200 && body === before,
    );
    const { body } = await box.api<{ id: string }>("POST", "/apps/app/deployments", { wait: false });
    if (trigger === "a cancel") {
      await box.until(
        "it builds",
        async () => (await box.api("GET", `/deployments/${body.id}`)).body.step === "building",
      );
      await box.api("POST", `/deployments/${body.id}/cancel`, {});
    }
    await box.died();
    await box.serve();
    const ended = await box.ended(body.id);
    expect(ended.status).toBe(trigger === "a cancel" ? "cancelled" : "failed");
    if (trigger !== "a cancel") expect(ended.error?.code).toMatch(/exit_nonzero|crash_loop/);
    await whole();
    await client.stop();
    expect(client.failures).toEqual([]);
  }, 120_000);

test("serve killed at 50 random moments never loses the app", async () => {
  await commit();
  const client = new SteadyClient(
    `http://127.0.0.1:${port}/`,
    (status, body) => status === 200 && body.startsWith("version "),
  );
  for (let round = 0; round < 50; round++) {
    await commit();
    const wanted =
      round % 4 === 3
        ? box.api("POST", "/apps/app/rollback", { wait: false })
        : box.api("POST", "/apps/app/deployments", { wait: false });
    await wanted;
    await Bun.sleep(Math.random() * 1200);
    await box.kill("SIGKILL");
    await box.serve();
  }
  await whole();
  await client.stop();
  expect(client.failures).toEqual([]);
  expect(client.requests).toBeGreaterThan(100);
}, 600_000);
