import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildInput } from "../../../src/engine/build/build-input.ts";
import type { BuildPlan } from "../../../src/engine/build/plan.ts";
import { emptyPlan } from "../../../src/engine/build/provider.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diplo-input-"));
  await mkdir(join(root, "apps/web"), { recursive: true });
  await writeFile(join(root, "apps/Dockerfile.web"), "FROM outside");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const inputOf = (plan: Partial<BuildPlan>, subdirectory = "apps/web") =>
  buildInput(
    { ...emptyPlan("dockerfile", []), dockerfile_path: "Dockerfile", ...plan },
    { root, subdirectory },
  );

test("buildInput sees the app's own directory, unless the plan names a wider one", async () => {
  expect(await inputOf({})).toEqual({
    context: join(root, "apps/web"),
    dockerfile: { path: "Dockerfile" },
    ignore: [],
  });
  expect(await inputOf({}, "")).toMatchObject({ context: root, dockerfile: { path: "Dockerfile" } });
  expect(await inputOf({ context: "" })).toMatchObject({
    context: root,
    dockerfile: { path: "apps/web/Dockerfile" },
  });
  expect(await inputOf({ context: "apps" })).toMatchObject({ dockerfile: { path: "web/Dockerfile" } });
});

test("buildInput sends a Dockerfile from outside its context as a text", async () => {
  const input = await inputOf({ dockerfile_path: "../Dockerfile.web" });
  expect(input).toMatchObject({ context: join(root, "apps/web"), dockerfile: { text: "FROM outside" } });
});

test("buildInput renders a plan of ours, and hands on what must not reach the image", async () => {
  const run = { name: "run", from: "debian", purpose: "It runs", env: {}, steps: [] };
  const input = await inputOf({ dockerfile_path: null, stages: [run], ignore: ["node_modules"] });
  expect(input.ignore).toEqual(["node_modules"]);
  expect("text" in input.dockerfile && input.dockerfile.text).toContain("FROM debian AS run");
});
