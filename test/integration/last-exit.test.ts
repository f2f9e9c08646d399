import { afterAll, beforeAll, expect, test } from "bun:test";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

let box: Box;
let git: GitServer;

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
  await git.commit("brief", {
    Dockerfile: 'FROM busybox:1.36\nCMD ["httpd", "-f", "-p", "8080"]\n',
  });
  await box.deploy({ repo_url: git.url("brief"), name: "brief" });
}, 60_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

interface InstanceBody {
  status: string;
  restarts: number;
  last_exit: { exit_code: number; oom_killed: boolean; at: string } | null;
}

const instance = async () => (await box.api<InstanceBody[]>("GET", "/apps/brief/instances")).body[0];

/** As a crash: the engine knows nothing of it beforehand, and starts it again at once. */
async function crash(): Promise<void> {
  const runtime = await box.runtime();
  const [facts] = await runtime.list();
  process.kill(facts?.pid as number, "SIGKILL");
  await box.until("the engine has started it again", async () => {
    const [now] = await runtime.list();
    return now?.state === "running" && now.pid !== facts?.pid;
  });
  await runtime.close();
}

test("the exit of an instance that the engine started again at once is known", async () => {
  expect((await instance())?.last_exit).toBeNull();
  const before = Date.now();
  await crash();
  await box.until("the exit is told", async () => (await instance())?.last_exit !== null);
  const { last_exit } = (await instance()) as InstanceBody;
  expect(last_exit).toMatchObject({ exit_code: 137, oom_killed: false });
  expect(Date.parse(last_exit?.at ?? "")).toBeGreaterThanOrEqual(before - 1000);
}, 60_000);

test("the watch outlives the control plane's restart, and what is stopped on purpose is no exit", async () => {
  await box.kill("SIGKILL");
  await box.serve();
  const { last_exit } = (await instance()) as InstanceBody;
  await box.until("the watch listens again", async () => {
    await crash();
    return (await instance())?.last_exit?.at !== last_exit?.at;
  });
  await box.api("POST", "/apps/brief/restart", {});
  await box.settled();
  expect((await instance())?.last_exit).toBeNull();
}, 60_000);
