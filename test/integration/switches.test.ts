import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { MixedLoad } from "../support/mixed-load.ts";
import { Box } from "../support/start-box.ts";

const SWITCHES = 200;

let box: Box;
let git: GitServer;

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
}, 60_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 120_000);

test(`${SWITCHES} switches of release under mixed load lose no request`, async () => {
  await git.commit("switching", join(import.meta.dir, "../fixtures/switching"));
  const { port } = await box.deploy({ repo_url: git.url("switching"), name: "switching" });
  const load = new MixedLoad(port);
  for (let i = 0; i < SWITCHES; i++) {
    const { status, body } = await box.api("POST", "/apps/switching/rollback", { release: i + 1 });
    expect({ status, body }).toMatchObject({ status: 201, body: { release: i + 2 } });
  }
  await load.stop();
  console.log(`${SWITCHES} switches, requests:`, load.counts);
  expect(load.failures).toEqual([]);
  for (const count of Object.values(load.counts)) expect(count).toBeGreaterThan(SWITCHES / 10);
}, 900_000);
