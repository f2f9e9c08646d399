import { afterAll, beforeAll, expect, onTestFinished, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_BUILD_OPTIONS, planBuild } from "../../src/engine/build/plan-build.ts";
import { renderDockerfile } from "../../src/engine/build/render-dockerfile.ts";
import type { BuildRequest } from "../../src/engine/runtime/container-runtime.ts";
import type { DockerRuntime } from "../../src/engine/runtime/docker/docker-runtime.ts";
import { FAST, REST, type RealCase } from "../buildpacks/real-cases.ts";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";
import { runtimeBox } from "./runtime-box.ts";

/**
 * Buildpacks for real: a fixture is deployed from a git server, asked through the proxy, changed in its code alone and
 * deployed again. The fast set always; all of them with DIPLO_TEST_BUILDPACKS=all, after
 * `sh test/buildpacks/images.sh`, which makes the images of the languages. DIPLO_TEST_FIXTURES names some of them.
 */
setDefaultTimeout(900_000);

const wanted = process.env.DIPLO_TEST_FIXTURES?.split(",");
const all = process.env.DIPLO_TEST_BUILDPACKS === "all" || wanted ? [...FAST, ...REST] : FAST;
const cases = all.filter(({ fixture }) => wanted?.includes(fixture) ?? true);

const fixtureOf = (name: string) => join(import.meta.dir, "../fixtures", name);
const rows: string[][] = [];
let box: Box;
let git: GitServer;
let engine: DockerRuntime;

beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
  engine = await box.runtime();
});

afterAll(async () => {
  await engine?.close();
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
  print(["fixture", "first", "again", "packages", "image MB"], rows);
}, 120_000);

function print(head: string[], body: string[][]): void {
  const widths = head.map((title, at) => Math.max(title.length, ...body.map((row) => row[at]!.length)));
  const line = (row: string[]) => row.map((cell, at) => cell.padEnd(widths[at]!)).join("  ");
  console.log(`\n${[head, ...body].map(line).join("\n")}\n`);
}

interface Deployed {
  app: string;
  app_id: string;
  deployment_id: string;
  build_s: number;
  log: string;
}

/** Waits for a deployment and answers what its build took and said; fails the test unless it went live. */
async function live(id: string): Promise<Deployed> {
  const { status, error } = await box.ended(id, 850_000);
  const log = (await box.api<string>("GET", `/deployments/${id}/log`)).body;
  if (status !== "success") throw new Error(`${JSON.stringify(error)}\n${log.slice(-6000)}`);
  type Step = { name: string; duration_ms: number };
  type Body = { app: string; app_id: string; steps: Step[] };
  const { body } = await box.api<Body>("GET", `/deployments/${id}`);
  const build_s = body.steps.find(({ name }) => name === "building")!.duration_ms / 1000;
  return { app: body.app, app_id: body.app_id, deployment_id: id, build_s, log };
}

async function deploy(path: string, body: unknown): Promise<Deployed> {
  const answer = await box.api("POST", `${path}?wait=0`, body);
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
  return live(answer.headers.get("location")!.split("/").at(-1)!);
}

const COMMENTS: Record<string, string> = {
  html: "<!-- more -->",
  svelte: "<!-- more -->",
  astro: "<!-- more -->",
  php: "// more",
  md: "More.",
  py: "# more",
  rb: "# more",
  pl: "# more",
  ex: "# more",
};

async function changeCode({ fixture, code }: RealCase): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "diplo-changed-"));
  try {
    const text = await readFile(join(fixtureOf(fixture), code), "utf8");
    const comment = COMMENTS[code.slice(code.lastIndexOf(".") + 1)] ?? "// more";
    await Bun.spawn(["cp", "-R", `${fixtureOf(fixture)}/.`, directory]).exited;
    await writeFile(join(directory, code), `${text}\n${comment}\n`);
    await git.commit(fixture, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Whether a step of the build, by its words, came from the cache. */
function wasCached(log: string, words: string): boolean {
  return log.split("\n").some((line) => line.includes(words) && line.endsWith("… cached"));
}

/** Names and times of the packages in a cache mount, seen by a build of their own. */
async function packagesIn(appId: string, cache: string, files: string): Promise<string> {
  const id = cache === "cargo-registry" ? cache : `${appId}-${cache}`;
  const look = `find /cache -name '${files}' -exec stat -c '%n %Y' {} + | sort | sha256sum`;
  const lines: string[] = [];
  const request: BuildRequest = {
    context: fixtureOf("nothing"),
    dockerfile: {
      text: `FROM busybox:1.36\nRUN --mount=type=cache,id=${id},target=/cache ${look}\n`,
    },
    tag: `diplo/look:${appId.toLowerCase()}`,
    labels: {},
    args: {},
    target: null,
    secrets: {},
    registries: [],
    no_cache: true,
    deadline_ms: 60_000,
  };
  await engine.build(request, (line) => lines.push(line.text), new AbortController().signal);
  return /[0-9a-f]{64}/.exec(lines.join("\n"))![0];
}

const BUILD_TOOLS = ["gcc", "cc", "g++", "make", "cargo", "go", "mvn", "javac", "composer", "mix"];
const LEFT_BEHIND = [
  "/root/.npm",
  "/root/.cache",
  "/root/.m2",
  "/root/.cargo",
  "/usr/local/cargo",
  "/var/lib/apt/lists/*",
];

/** What an image must not hold, by looking inside; and the rights that its running container does not have. */
async function inspectImage(tag: string, { brings = [] }: RealCase): Promise<void> {
  const tools = BUILD_TOOLS.filter((name) => !brings.includes(name));
  const script = `for name in ${tools.join(" ")}; do command -v $name; done; for path in ${LEFT_BEHIND.join(" ")}; do [ ! -e "$path" ] || echo "$path"; done; id -u`;
  const argv = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", tag, "-c", script];
  const run = Bun.spawn(argv, { stdout: "pipe", stderr: "inherit" });
  expect((await new Response(run.stdout).text()).trim()).toBe("1000");
}

async function expectNoRights(app: string): Promise<void> {
  const [instance] = await engine.list({ app });
  const inspect = Bun.spawn(["docker", "inspect", instance!.name], { stdout: "pipe" });
  const [{ HostConfig }] = await new Response(inspect.stdout).json();
  expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ["ALL"], Privileged: false });
}

test.each(cases)(
  "buildpack of $fixture builds, answers, and installs nothing for a change of code",
  async (one) => {
    const name = one.fixture;
    await git.commit(name, fixtureOf(name));
    const source = { repo_url: git.url(name), name, subdirectory: one.subdirectory };
    const first = await deploy("/deploy", source);
    const { port } = (await box.api<{ port: number }>("GET", `/apps/${name}`)).body;
    expect(await (await box.app(port)).text()).toContain(one.says);

    const tag = engine.imageTag(name, first.deployment_id);
    const image = await engine.image(tag);
    const isServed = (await engine.list({ app: name })).length === 0;
    if (!isServed) {
      expect(image!.user).toBe("1000:1000");
      await inspectImage(tag, one);
      await expectNoRights(name);
    }

    const before =
      one.kept !== null && "cache" in one.kept
        ? await packagesIn(first.app_id, one.kept.cache, one.kept.files)
        : "";
    await changeCode(one);
    const second = await deploy(`/apps/${name}/deployments`, {});
    expect(await (await box.app(port)).text()).toContain(one.says);
    if (one.kept !== null && "step" in one.kept)
      expect([one.kept.step, wasCached(second.log, one.kept.step)]).toEqual([one.kept.step, true]);
    if (one.kept !== null && "cache" in one.kept)
      expect(await packagesIn(second.app_id, one.kept.cache, one.kept.files)).toBe(before);

    const kept = one.kept === null ? "none" : "step" in one.kept ? "step cached" : "nothing fetched";
    const size = isServed ? "files" : (image!.size_bytes / 1e6).toFixed(0);
    rows.push([name, `${first.build_s.toFixed(1)} s`, `${second.build_s.toFixed(1)} s`, kept, size]);
    await box.api("DELETE", `/apps/${name}?confirm=${name}`);
  },
);

const { runtime, boxId, spec } = await runtimeBox();

test("a build's secret is seen by the build and stays out of the image", async () => {
  const directory = await mkdtemp(join(tmpdir(), "diplo-secret-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const script = 'test "$TOKEN" = \'can$ry "it\'"\'"\'s"\' && echo seen > seen.txt';
  await writeFile(
    join(directory, "package.json"),
    JSON.stringify({ scripts: { build: script, start: "node x.js" } }),
  );
  await writeFile(join(directory, "x.js"), "");
  const plan = await planBuild(directory, { ...DEFAULT_BUILD_OPTIONS, secrets: { TOKEN: "" } });
  const tag = `${boxId}/secret:1`;
  const request = {
    context: directory,
    dockerfile: { text: renderDockerfile(plan) },
    tag,
    labels: {},
    args: {},
    target: null,
  };
  const secrets = { TOKEN: 'can$ry "it\'s"' };
  await runtime.build(
    { ...request, secrets, registries: [], no_cache: false, deadline_ms: 120_000 },
    () => undefined,
    new AbortController().signal,
  );
  const printed: string[] = [];
  const instance = spec("secret", "", {
    image: tag,
    command: ["sh", "-c", "cat seen.txt; env; ls -R /run/secrets /app"],
  });
  await runtime.run(
    {
      spec: instance,
      tty: false,
      stdin: null,
      onOutput: (chunk) => printed.push(new TextDecoder().decode(chunk)),
      deadline_ms: 60_000,
    },
    new AbortController().signal,
  );
  expect(printed.join("")).toContain("seen");
  expect(printed.join("")).not.toMatch(/can\$ry|TOKEN/);
});
