import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

/** Requests that meet each other: whatever order they come in, none of them is lost. */
const page = (text: string, before = "") => ({
  Dockerfile: `FROM busybox:1.36\n${before}\nCOPY index.html /www/index.html\nCMD ["sh", "-c", "echo $A-$B > /www/env; exec httpd -f -p 8080 -h /www"]\n`,
  "index.html": text,
});

let box: Box;
let git: GitServer;
let port: number;

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
  await git.commit("app", page("one"));
  ({ port } = await box.deploy({ repo_url: git.url("app"), name: "app" }));
}, 60_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

const text = async (path = "/") => (await (await box.app(port, path)).text()).trim();
const running = async () =>
  (await box.api<{ status: string }[]>("GET", "/apps/app/instances")).body.filter(
    ({ status }) => status === "running",
  ).length;

test("config set while a build runs is in the release that follows it, with the new code", async () => {
  await git.commit("app", page("two", `RUN echo ${Math.random()}; sleep 1`));
  const { body } = await box.api<{ id: string }>("POST", "/apps/app/deployments", { wait: false });
  await box.until(
    "it builds",
    async () => (await box.api("GET", `/deployments/${body.id}`)).body.step === "building",
  );
  await box.api("PATCH", "/apps/app/env", { A: "1" });
  await box.settled();
  expect([await text(), await text("/env")]).toEqual(["two", "1-"]);
}, 60_000);

test("config set and a scale right after it both count", async () => {
  await box.api("PATCH", "/apps/app/env", { B: "2" });
  await box.api("PATCH", "/apps/app/formation", { web: 2 });
  await box.api("PATCH", "/apps/app/env", { A: "3" });
  await box.settled();
  expect([await text("/env"), await running()]).toEqual(["3-2", 2]);
}, 60_000);

test("config set on a stopped app is there when it starts", async () => {
  await box.api("POST", "/apps/app/stop", {});
  await box.settled();
  await box.api("PATCH", "/apps/app/env", { B: "4" });
  await box.api("POST", "/apps/app/start", {});
  await box.settled();
  expect(await text("/env")).toBe("3-4");
}, 60_000);

test("a restart asked for while another change waits still replaces every instance", async () => {
  const ids = async () =>
    (await box.api<{ id: string }[]>("GET", "/apps/app/instances")).body.map(({ id }) => id);
  const before = new Set(await ids());
  await Promise.all([
    box.api("POST", "/apps/app/restart", {}),
    box.api("POST", "/apps/app/restart", {}),
    box.api("PATCH", "/apps/app/formation", { web: 1 }),
  ]);
  await box.settled();
  const after = await ids();
  expect(after.length).toBe(1);
  expect(after.some((id) => before.has(id))).toBe(false);
}, 60_000);

test("a subnet that somebody else took since it was chosen is exchanged for a free one", async () => {
  await box.api("POST", "/apps", { name: "late" });
  const db = new Database(join(box.data, "diplo.db"), { readonly: true });
  const { subnet } = db.query("select subnet from environments order by created_at desc limit 1").get() as {
    subnet: string;
  };
  db.close();
  const foreign = `diplo-test-${process.pid}`;
  const docker = (...args: string[]) => Bun.spawnSync(["docker", ...args], { stderr: "pipe" });
  expect(docker("network", "create", "--subnet", subnet, foreign).stderr.toString()).toBe("");
  try {
    await git.commit("late", page("late"));
    const late = await box.deploy({ repo_url: git.url("late"), name: "late", replace_source: true });
    expect(await (await box.app(late.port)).text()).toBe("late");
  } finally {
    docker("network", "rm", foreign);
  }
}, 60_000);
