import { afterAll, beforeAll, expect, test } from "bun:test";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

/** Answers 500 once its file says so, and only in the instance whose turn it is. */
const SERVER = `
const { createServer } = require("node:http");
let sick = false;
createServer((request, response) => {
  if (request.url === "/sicken") sick = true;
  if (request.url === "/mend") sick = false;
  response.statusCode = sick ? 500 : 200;
  response.end(request.headers.host + " " + require("node:os").hostname());
}).listen(process.env.PORT);
process.on("SIGTERM", () => process.exit(0));
`;

let box: Box;
let git: GitServer;
let port: number;

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
  await git.commit("patient", {
    "package.json": `{"name":"patient","engines":{"node":"22"}}`,
    "server.js": SERVER,
  });
  ({ port } = await box.deploy({ repo_url: git.url("patient"), name: "patient" }));
  await box.api("PATCH", "/apps/patient", { health: { interval_s: 1, unhealthy_after: 2 } });
  await box.api("PATCH", "/apps/patient/formation", { web: 2 });
  await box.settled();
}, 120_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

const statuses = async (count: number) => {
  const seen: number[] = [];
  for (let i = 0; i < count; i++) seen.push((await box.app(port)).status);
  return seen;
};

const states = async () =>
  (await box.api<{ status: string; address: string }[]>("GET", "/apps/patient/instances")).body
    .map(({ status }) => status)
    .sort();

test("an instance that keeps failing its health check leaves the routes until it is well again", async () => {
  const { body } = await box.api<{ address: string }[]>("GET", "/apps/patient/instances");
  const sick = body[0]?.address as string;
  await fetch(`http://${sick}/sicken`);
  await box.until("it is seen", async () => (await states()).join() === "running,unhealthy");
  expect((await box.api("GET", "/apps/patient")).body.status).toBe("degraded");
  // It is seen a moment before the routes are acknowledged.
  await box.until(
    "only the other one answers",
    async () => (await statuses(20)).every((status) => status === 200),
    5000,
  );
  await fetch(`http://${sick}/mend`);
  await box.until("it is well", async () => (await states()).join() === "running,running");
}, 60_000);

test("an app whose every instance fails still gets its requests", async () => {
  const { body } = await box.api<{ address: string }[]>("GET", "/apps/patient/instances");
  for (const { address } of body) await fetch(`http://${address}/sicken`);
  await box.until("it is seen", async () => (await states()).join() === "unhealthy,unhealthy");
  expect((await box.app(port)).status).toBe(500);
}, 60_000);

test("an instance that was killed is started again, and removed ones are made anew", async () => {
  const runtime = await box.runtime();
  const [first, second] = await runtime.list();
  await runtime.remove(first?.name ?? "");
  await runtime.stop(second?.name ?? "", 0);
  await box.until(
    "both are back",
    async () => (await runtime.list()).filter(({ state }) => state === "running").length === 2,
    90_000,
  );
  await box.until("it answers", async () => (await box.app(port)).status === 200);
  await runtime.close();
}, 120_000);
