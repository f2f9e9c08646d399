import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

/** Making and taking away apps when requests meet, fail or come back. */
const page = (before = "") => ({
  Dockerfile: `FROM busybox:1.36\n${before}\nCOPY index.html /www/index.html\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
  "index.html": "hello",
});

let box: Box;
let git: GitServer;

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
  await git.commit("app", page());
  await git.commit("slow", page(`RUN echo ${Math.random()}; sleep 5`));
}, 60_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

test("a new name deployed twice at once is one app with two deployments", async () => {
  const ask = () => box.api("POST", "/deploy", { repo_url: git.url("app"), name: "twin", wait: false });
  const answers = await Promise.all([ask(), ask(), ask()]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  await box.settled();
  expect((await box.api("GET", "/apps/twin")).body).toMatchObject({ status: "running" });
}, 60_000);

test("what git must not be given is refused before there is an app", async () => {
  for (const [field, value] of Object.entries({
    branch: "--upload-pack=id",
    tag: "a..b",
    commit: "HEAD",
    subdirectory: "../../etc",
    repo_url: "https://host/%zz/r",
  })) {
    const { status, body } = await box.api("POST", "/deploy", {
      repo_url: git.url("app"),
      name: "never",
      [field]: value,
    });
    expect({ field, status, code: body.code }).toEqual({ field, status: 422, code: "invalid" });
    expect(body.deployment_id).toBeUndefined();
  }
  expect((await box.api("GET", "/apps/never")).status).toBe(404);
  const again = await box.api("POST", "/apps/twin/deployments", { branch: "--upload-pack=id" });
  expect([again.status, again.body.code, again.body.deployment_id]).toEqual([422, "invalid", undefined]);
});

test("an app goes with all its environments, also with one that is being built", async () => {
  await box.deploy({ repo_url: git.url("app"), name: "multi" });
  const { body } = await box.api<{ id: string }>("POST", "/deploy", {
    repo_url: git.url("slow"),
    name: "multi@staging",
    wait: false,
  });
  await box.until(
    "it builds",
    async () => (await box.api("GET", `/deployments/${body.id}`)).body.step === "building",
  );
  expect((await box.api("DELETE", "/apps/multi?confirm=multi")).status).toBe(202);
  await box.settled();
  const runtime = await box.runtime();
  const left = [...(await runtime.list()), ...(await runtime.listImages())].map((each) =>
    JSON.stringify(each),
  );
  await runtime.close();
  expect(left.filter((each) => each.includes("multi"))).toEqual([]);
  expect(await box.log()).not.toContain("could not undo");
}, 60_000);

test("a stop ends the deployment that runs and those that wait behind it", async () => {
  await box.deploy({ repo_url: git.url("app"), name: "queue" });
  await git.commit("app", page(`RUN echo ${Math.random()}; sleep 5`));
  const { body } = await box.api<{ id: string }>("POST", "/apps/queue/deployments", { wait: false });
  await box.until(
    "it builds",
    async () => (await box.api("GET", `/deployments/${body.id}`)).body.step === "building",
  );
  await box.api("POST", "/apps/queue/deployments", { wait: false });
  expect((await box.api("POST", "/apps/queue/stop", {})).status).toBe(200);
  await box.settled();
  const all = (await box.api<{ status: string }[]>("GET", "/apps/queue/deployments")).body;
  expect(all.map(({ status }) => status)).toEqual(["cancelled", "cancelled", "success"]);
  expect((await box.api("GET", "/apps/queue/instances")).body).toEqual([] as never);
}, 60_000);

test("an app whose destruction failed can be destroyed by asking again", async () => {
  const db = new Database(join(box.data, "diplo.db"));
  db.run("update apps set destroying_at = 1 where name = 'twin'");
  db.close();
  expect((await box.api("DELETE", "/apps/twin?confirm=twin")).status).toBe(202);
  await box.settled();
  expect((await box.api("GET", "/apps/twin")).status).toBe(404);
}, 60_000);
