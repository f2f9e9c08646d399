import { expect, test } from "bun:test";
import { join } from "node:path";
import { DEFAULT_BUILD_OPTIONS, planBuild } from "../../../src/engine/build/plan-build.ts";
import { emptyPlan } from "../../../src/engine/build/provider.ts";
import { renderDockerfile } from "../../../src/engine/build/render-dockerfile.ts";
import { described, type Files, outcomeOf, planOf } from "../../buildpacks/plan-of.ts";

const PAGE = { "index.html": "" };
const NODE = { "package.json": { scripts: { start: "node x" } } };

test.each<[string, string, Files]>([
  ["the person's Dockerfile before everything", "dockerfile", { Dockerfile: "FROM x", ...NODE, ...PAGE }],
  ["node before static", "node", { ...NODE, ...PAGE }],
  ["static alone", "static", PAGE],
  ["a Dockerfile beside a compose file", "dockerfile", { Dockerfile: "FROM x", "compose.yaml": "" }],
  ["a program beside a compose file", "node", { ...NODE, "docker-compose.yml": "" }],
  ["a compose file alone", "compose_not_supported", { "docker-compose.yml": "", "README.md": "" }],
  ["nothing known", "nothing_detected", { "README.md": "" }],
  ["an empty tree", "nothing_detected", {}],
])("planBuild takes %s", async (_, outcome, files) => {
  for (let again = 0; again < 3; again++) expect(await outcomeOf(files)).toBe(outcome);
});

test("planBuild obeys the mode and a forced buildpack", async () => {
  const all = { Dockerfile: "FROM x", ...NODE, ...PAGE };
  expect(await outcomeOf(all, { mode: "buildpack" })).toBe("node");
  expect(await outcomeOf(all, { mode: "buildpack", buildpack: "static" })).toBe("static");
  expect(await outcomeOf(all, { mode: "dockerfile" })).toBe("dockerfile");
  expect(await outcomeOf(NODE, { mode: "dockerfile" })).toBe("nothing_detected");
  expect(await outcomeOf(all, { dockerfile_path: "docker/Dockerfile.web" })).toBe("nothing_detected");
  expect(
    await outcomeOf({ ...all, "docker/Dockerfile.web": "" }, { dockerfile_path: "docker/Dockerfile.web" }),
  ).toBe("dockerfile");
  expect(await outcomeOf(all, { mode: "buildpack", buildpack: "cobol" })).toBe("invalid");
});

test("planBuild says what was looked for, what is there, and where an app may be", async () => {
  const error = await planOf({
    "README.md": "",
    "apps/web/index.html": "",
    "api/package.json": NODE["package.json"],
  }).catch((e) => e);
  expect(error).toMatchObject({ code: "nothing_detected", name: "PermanentError" });
  expect(error.detail).toContain("package.json");
  expect(error.detail).toContain("index.html");
  expect(error.hint).toContain("api, apps/web");
  expect(error.evidence[0]).toContain("README.md");
});

test("planBuild gives a Dockerfile's processes from the Procfile", async () => {
  const plan = await planOf({ Dockerfile: "FROM x", Procfile: "worker: ./work\nrelease: ./migrate" });
  expect(plan.processes).toEqual({
    web: { command: null, from: "CMD of Dockerfile" },
    worker: { command: ["sh", "-c", "./work"], from: "Procfile" },
  });
  expect(plan.release_command).toEqual({ value: ["sh", "-c", "./migrate"], from: "Procfile" });
  expect(plan.hardened).toBe(false);
  const own = await planOf({ Dockerfile: "FROM x", Procfile: "web: ./serve" });
  expect(own.processes.web!.command).toEqual(["sh", "-c", "./serve"]);
});

test("renderDockerfile is the same text each time, and no name of a person becomes an instruction", async () => {
  const hostile = {
    "package.json": {
      main: "a b\nRUN touch /x.js",
      scripts: { start: "node 'x\nRUN id'" },
      engines: { node: "20\nRUN id" },
      dependencies: { express: "4" },
    },
    "package-lock.json": "{}",
    Procfile: "worker: echo \\\\ \"$(id)\" 'x'",
  };
  const text = await described(hostile);
  expect(text).toBe(await described(hostile));
  expect(text).not.toMatch(/^RUN (id|touch)/m);
  expect(() => renderDockerfile({ ...emptyPlan("dockerfile", []), dockerfile_path: "Dockerfile" })).toThrow();
});

test("renderDockerfile starts the image in the app's place in its context", () => {
  const run = { name: "run", from: "debian", purpose: "It runs", env: {}, steps: [] };
  const plan = { ...emptyPlan("node", ["package.json"]), stages: [run] };
  const inside = (directory: string) => renderDockerfile({ ...plan, directory });
  expect(inside("")).not.toContain("WORKDIR /app/");
  expect(inside("apps/web")).toContain("\nWORKDIR /app/apps/web\nUSER 1000:1000");
  expect(inside("my app$HOME")).toContain('\nWORKDIR "/app/my app\\$HOME"\n');
  expect(() => inside("a\nRUN id")).toThrow("line break");
});

test.each([
  ["own-dockerfile", "dockerfile"],
  ["node-express", "node"],
  ["node-yarn", "node"],
  ["node-pnpm", "node"],
  ["node-bun", "node"],
  ["vite-static", "node"],
  ["static-plain", "static"],
  ["worker-web", "node"],
  ["volume", "dockerfile"],
  ["nothing", "nothing_detected"],
  ["compose-only", "compose_not_supported"],
])("planBuild of fixture %s: %s", async (name, outcome) => {
  const directory = join(import.meta.dir, "../../fixtures", name);
  const found = await planBuild(directory, DEFAULT_BUILD_OPTIONS).then(
    (plan) => plan.provider,
    (error) => error.code,
  );
  expect(found).toBe(outcome);
});
