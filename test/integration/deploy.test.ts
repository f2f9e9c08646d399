import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

const fixture = (name: string) => join(import.meta.dir, "../fixtures", name);

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

/** Deploys a fixture from the git server and sees it answer by its port and by its host name. */
async function deployed(name: string, more: Record<string, unknown> = {}) {
  await git.commit(name, fixture(name));
  const app = await box.deploy({ repo_url: git.url(name), name, ...more });
  const [byPort, byHost] = await Promise.all([box.app(app.port), box.host(name)]);
  const body = await byPort.text();
  expect([byPort.status, byHost.status]).toEqual([200, 200]);
  expect(await byHost.text()).toBe(body);
  return { ...app, body };
}

test("deploy serves a repository's own Dockerfile by port and by host name", async () => {
  expect((await deployed("own-dockerfile")).body).toContain("a Dockerfile of my own");
}, 60_000);

for (const name of ["node-express", "node-yarn", "node-pnpm", "node-bun"])
  test(`deploy builds ${name} with its real dependencies`, async () => {
    const { body } = await deployed(name);
    expect(body.length).toBeGreaterThan(0);
  }, 240_000);

test("deploy serves a static site, its files and a 404 for what it lacks", async () => {
  const { port, body } = await deployed("static-plain");
  expect(body).toContain("A plain site");
  expect((await box.app(port, "/style.css")).headers.get("content-type")).toContain("text/css");
  expect((await box.app(port, "/nothing-here.png")).status).toBe(404);
}, 120_000);

test("deploy builds a Vite project and serves its output", async () => {
  const { port, body } = await deployed("vite-static");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(body)?.[1] ?? "";
  expect((await box.app(port, script)).status).toBe(200);
}, 240_000);

test("deploy starts web, and ps:scale starts the worker, which is healthy when it stays up", async () => {
  const { name } = await deployed("worker-web");
  const scaled = await box.api<{ deployment_id: string }>("PATCH", `/apps/${name}/formation`, { worker: 1 });
  expect((await box.ended(scaled.body.deployment_id)).status).toBe("success");
  const { body } = await box.api<{ process: string; status: string }[]>("GET", `/apps/${name}/instances`);
  expect(body.map(({ process, status }) => `${process} ${status}`).sort()).toEqual([
    "web running",
    "worker running",
  ]);
}, 120_000);

test("deploy keeps a VOLUME's data over releases, and over the app's destruction", async () => {
  const { port, name } = await deployed("volume");
  const [script] = await readdir(join(fixture("volume"), "cgi-bin"));
  const visit = async () => Number(await (await box.app(port, `/cgi-bin/${script}`)).text());
  expect(await visit()).toBe(1);
  const again = await box.api<{ deployment_id: string }>("POST", `/apps/${name}/deployments`, {});
  expect(again.status).toBe(201);
  expect(await visit()).toBe(2);
  const destroyed = await box.api<{ job_id: string; kept_volumes: string[] }>(
    "DELETE",
    `/apps/${name}?confirm=${name}`,
  );
  expect(destroyed.body.kept_volumes.length).toBe(1);
  await box.until("it is gone", async () => (await box.api("GET", `/apps/${name}`)).status === 404);
  const runtime = await box.runtime();
  expect((await runtime.listVolumes()).map((volume) => volume.name)).toEqual(destroyed.body.kept_volumes);
  expect((await runtime.list({ app: name })).length).toBe(0);
  await runtime.close();
}, 120_000);

test("config reaches the container byte for byte, and a change of it makes a release", async () => {
  const values: Record<string, string> = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a literal is what is tested
    DOLLARS: "pa$$word ${HOME} $(id) `id`",
    QUOTES: `'single' "double" \\back\\slash`,
    LINES: "one\ntwo\r\nthree\n",
    UNICODE: "grüße 🚀 \u0001 \t end ",
    EMPTY: "",
    LARGE: "x".repeat(100 * 1024),
  };
  await git.commit("node-express", fixture("node-express"));
  const env_vars = Object.entries(values)
    .slice(0, 2)
    .map(([name, value]) => ({ name, value }));
  const { port } = await box.deploy({ repo_url: git.url("node-express"), name: "config", env_vars });
  const rest = Object.fromEntries(Object.entries(values).slice(2));
  const changed = await box.api<{ deployment_id: string }>("PATCH", "/apps/config/env", rest);
  expect(await box.ended(changed.body.deployment_id)).toMatchObject({ status: "success", release: 2 });
  for (const [name, value] of Object.entries(values))
    expect(await (await box.app(port, `/env/${name}`)).text()).toBe(value);
  const back = await box.api<{ release: number }>("POST", "/apps/config/rollback", { release: 1 });
  expect(back.body.release).toBe(3);
  expect(await (await box.app(port, "/env/UNICODE")).text()).toBe("");
  expect(await (await box.app(port, "/env/DOLLARS")).text()).toBe(values.DOLLARS as string);
}, 120_000);

test("rollback brings an old release back as a new one, and keeps the images of the last five", async () => {
  const repo = "rolling";
  const page = (n: number) => ({
    Dockerfile: `FROM busybox:1.36\nCOPY index.html /www/index.html\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
    "index.html": `page ${n}`,
  });
  await git.commit(repo, page(1));
  const { port } = await box.deploy({ repo_url: git.url(repo), name: repo });
  for (let n = 2; n <= 7; n++) {
    await git.commit(repo, page(n));
    expect((await box.api("POST", `/apps/${repo}/deployments`, {})).status).toBe(201);
  }
  expect((await box.api("POST", `/apps/${repo}/rollback`, {})).status).toBe(201);
  expect(await (await box.app(port)).text()).toBe("page 6");
  await box.until("old images are pruned", async () => {
    const { body } = await box.api<{ status: string }[]>("GET", `/apps/${repo}/releases`);
    return body.filter(({ status }) => status === "pruned").length >= 2;
  });
  const refused = await box.api("POST", `/apps/${repo}/rollback`, { release: 1 });
  expect(refused).toMatchObject({ status: 409, body: { code: "release_pruned" } });
}, 120_000);

test("deploy by the same name from another source is refused unless asked for", async () => {
  await git.commit("first", fixture("own-dockerfile"));
  await git.commit("second", fixture("static-plain"));
  const { port } = await box.deploy({ repo_url: git.url("first"), name: "same" });
  const refused = await box.api("POST", "/deploy", { repo_url: git.url("second"), name: "same" });
  expect(refused).toMatchObject({ status: 409, body: { code: "app_source_differs" } });
  const replaced = await box.deploy({ repo_url: git.url("second"), name: "same", replace_source: true });
  expect(replaced.port).toBe(port);
}, 120_000);

test("deploy takes a branch, a tag, a commit and a subdirectory", async () => {
  const at = (text: string, directory = "") => ({
    [`${directory}Dockerfile`]: `FROM busybox:1.36\nCOPY index.html /www/index.html\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
    [`${directory}index.html`]: text,
  });
  const first = await git.commit("refs", at("first"));
  await git.tag("refs", "v1.0", first);
  await git.commit("refs", at("second"));
  await git.commit("refs", at("on a branch"), "branch", "topic/x");
  await git.commit("refs", at("below", "apps/web/"), "sub", "mono");
  const show = async (more: Record<string, unknown>) => {
    const { port } = await box.deploy({
      repo_url: git.url("refs"),
      name: "refs",
      replace_source: true,
      ...more,
    });
    return (await box.app(port)).text();
  };
  expect(await show({})).toBe("second");
  expect(await show({ branch: "topic/x" })).toBe("on a branch");
  expect(await show({ tag: "v1.0" })).toBe("first");
  expect(await show({ commit: first })).toBe("first");
  expect(await show({ branch: "mono", subdirectory: "apps/web" })).toBe("below");
}, 180_000);

test("restart replaces every instance without changing the release; stop and start keep it", async () => {
  await git.commit("restarting", fixture("own-dockerfile"));
  const { port } = await box.deploy({ repo_url: git.url("restarting"), name: "restarting" });
  const instances = async () =>
    (
      await box.api<{ id: string; release: number; status: string }[]>("GET", "/apps/restarting/instances")
    ).body.filter(({ status }) => status === "running");
  const [before] = await instances();
  const { body } = await box.api<{ deployment_id: string }>("POST", "/apps/restarting/restart", {});
  expect((await box.ended(body.deployment_id)).status).toBe("success");
  const [after] = await instances();
  expect(after?.id).not.toBe(before?.id);
  expect(after?.release).toBe(1);
  await box.api("POST", "/apps/restarting/stop", {});
  await box.until("it stands", async () => (await box.app(port)).status === 503);
  const started = await box.api<{ deployment_id: string }>("POST", "/apps/restarting/start", {});
  expect((await box.ended(started.body.deployment_id)).status).toBe("success");
  expect((await box.app(port)).status).toBe(200);
}, 120_000);
