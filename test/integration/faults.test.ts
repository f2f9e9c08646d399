import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CuttableSocket } from "../support/cuttable-socket.ts";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

const fixture = (name: string) => join(import.meta.dir, "../fixtures", name);
const PAGE = (text: string) => ({
  Dockerfile: `FROM busybox:1.36\nCOPY index.html /www/index.html\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
  "index.html": text,
});

interface Problem {
  code: string;
  detail: string;
  hint?: string;
  deployment_id?: string;
  errors?: { field: string }[];
  evidence?: string[];
}

let box: Box;
let git: GitServer;
let guarded: GitServer;
let engine: CuttableSocket;
let directory: string;
let port: number;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dcut-"));
  engine = new CuttableSocket(
    join(directory, "engine.sock"),
    process.env.DOCKER_HOST?.replace("unix://", ""),
  );
  await engine.mend();
  git = await serveRepositories();
  guarded = await serveRepositories({ credentials: { username: "someone", password: "canary-secret-9d3f" } });
  box = await Box.start({ env: { DOCKER_HOST: `unix://${engine.path}` } });
  await git.commit("steady", PAGE("steady"));
  ({ port } = await box.deploy({ repo_url: git.url("steady"), name: "steady" }));
  await box.api("PATCH", "/apps/steady", { health: { start_deadline_s: 5 }, drain_s: 1 });
  await box.settled();
}, 120_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
  await guarded?.stop();
  await engine?.cut();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** What a failed deployment must leave: one clear sentence, the old release serving, nothing else at the engine. */
async function fails(code: string, input: Record<string, unknown>, contains: RegExp): Promise<Problem> {
  const before = await inventory();
  const { status, body } = await box.api<Problem>("POST", "/deploy", {
    name: "steady",
    replace_source: true,
    ...input,
  });
  expect({ status, code: body.code, detail: body.detail }).toMatchObject({ status: 422, code });
  expect([body.detail, body.hint, ...(body.evidence ?? [])].join("\n")).toMatch(contains);
  expect(await (await box.app(port)).text()).toBe("steady");
  expect(await inventory()).toEqual(before);
  return body;
}

async function inventory(): Promise<string[]> {
  const runtime = await box.runtime();
  const names = [
    ...(await runtime.list()).map(({ name, state }) => `container ${name} ${state}`),
    ...(await runtime.listImages()).map(({ id }) => `image ${id}`),
    ...(await runtime.listNetworks()).map(({ name }) => `network ${name}`),
    ...(await runtime.listVolumes()).map(({ name }) => `volume ${name}`),
  ];
  await runtime.close();
  return names.sort();
}

test("deploy of an unknown repository says repo_not_found", async () => {
  await fails("repo_not_found", { repo_url: git.url("nowhere") }, /not found|no repository|does not exist/i);
}, 60_000);

test("deploy with refused credentials says auth_failed and never repeats them", async () => {
  await guarded.commit("private", PAGE("private"));
  const url = guarded.url("private").replace("http://", "http://someone:wrong-canary-77@");
  const problem = await fails("auth_failed", { repo_url: url }, /./);
  expect(JSON.stringify(problem)).not.toContain("wrong-canary-77");
  expect(await box.log()).not.toContain("wrong-canary-77");
}, 60_000);

test("deploy of a missing branch says branch_not_found", async () => {
  await fails("branch_not_found", { repo_url: git.url("steady"), branch: "nope" }, /nope/);
}, 60_000);

test("deploy of an empty repository says repo_empty", async () => {
  await git.empty("void");
  await fails("repo_empty", { repo_url: git.url("void") }, /empty|no commit/i);
}, 60_000);

const failing: [string, string, RegExp][] = [
  ["nothing", "nothing_detected", /package\.json/],
  ["compose-only", "compose_not_supported", /compose/i],
  ["build-fails", "build_failed", /1\.21 gigawatts missing/],
  ["exits", "exit_nonzero|crash_loop", /cannot reach the database/],
  ["wrong-port", "wrong_port", /9999/],
  ["loopback-only", "listens_on_loopback", /0\.0\.0\.0/],
  ["never-healthy", "health_status|health_timeout", /./],
];
for (const [name, codes, contains] of failing)
  test(`deploy of ${name} says ${codes}`, async () => {
    await git.commit(name, fixture(name));
    const before = await inventory();
    const { status, body } = await box.api<Problem>("POST", "/deploy", {
      name: "steady",
      replace_source: true,
      repo_url: git.url(name),
    });
    expect(status).toBe(422);
    expect(body.code).toMatch(new RegExp(`^(${codes})$`));
    expect([body.detail, body.hint, ...(body.evidence ?? [])].join("\n")).toMatch(contains);
    expect(await (await box.app(port)).text()).toBe("steady");
    expect(await inventory()).toEqual(before);
  }, 60_000);

test("deploy of an image without a command says no_start_command", async () => {
  await git.commit("silent", { Dockerfile: "FROM scratch\nCOPY Dockerfile /x\n" });
  await fails("no_start_command", { repo_url: git.url("silent") }, /CMD/);
}, 60_000);

test("deploy of a start command that does not exist says no_start_command", async () => {
  await git.commit("mistyped", { Dockerfile: 'FROM busybox:1.36\nCMD ["no-such-program"]\n' });
  await fails("no_start_command", { repo_url: git.url("mistyped") }, /does not exist in the image/);
}, 60_000);

test("deploy from a host that does not answer says repo_unreachable", async () => {
  await fails("repo_unreachable", { repo_url: "http://127.0.0.1:1/app.git" }, /could not be reached/);
}, 60_000);

test("deploy of a build that hangs says build_timeout, and the running step is gone", async () => {
  await box.api("PATCH", "/apps/steady", { build_timeout_s: 10 });
  await git.commit("hangs", { Dockerfile: `FROM busybox:1.36\nRUN echo ${Math.random()}; sleep 3317\n` });
  await fails("build_timeout", { repo_url: git.url("hangs") }, /10 s/);
  await box.until(
    "no step runs on",
    async () => !(await processes()).some((line) => line.includes("sleep\u00003317")),
  );
}, 60_000);

test("deploy of a build that prints for ever keeps its log within bounds", async () => {
  await git.commit("prints", {
    Dockerfile: `FROM busybox:1.36\nRUN echo ${Math.random()}; yes "some output that goes on and on"\n`,
  });
  const problem = await fails("build_timeout", { repo_url: git.url("prints") }, /./);
  const log = await box.api<string>("GET", `/deployments/${problem.deployment_id}/log`);
  expect(log.body.length).toBeLessThan(11 * 1024 * 1024);
  await box.api("PATCH", "/apps/steady", { build_timeout_s: 1800 });
}, 60_000);

test("deploy by a name that is no DNS label says which field and why", async () => {
  for (const name of ["Caps", "-dash", "under_score", "x".repeat(64), "www", ""]) {
    const { status, body } = await box.api<Problem>("POST", "/deploy", { repo_url: git.url("steady"), name });
    expect({ status, fields: body.errors?.map(({ field }) => field) }).toEqual({
      status: 422,
      fields: ["name"],
    });
  }
});

test("deploy with the engine down fails with one sentence, and works again with the engine", async () => {
  await engine.cut();
  const { status, body } = await box.api<Problem>("POST", "/deploy", {
    repo_url: git.url("steady"),
    name: "steady",
    replace_source: true,
  });
  expect({ status, code: body.code }).toEqual({ status: 422, code: "engine_down" });
  expect(await (await box.app(port)).text()).toBe("steady");
  await engine.mend();
  expect((await box.api("POST", "/apps/steady/deployments", {})).status).toBe(201);
}, 120_000);

test("deploy goes on when the engine stops midway and comes back", async () => {
  await git.commit("steady", {
    ...PAGE("steady"),
    Dockerfile: `${PAGE("").Dockerfile}`.replace("COPY", `RUN echo ${Math.random()}; sleep 2\nCOPY`),
  });
  const { body } = await box.api<{ id: string }>("POST", "/apps/steady/deployments", { wait: false });
  await box.until(
    "it builds",
    async () => (await box.api("GET", `/deployments/${body.id}`)).body.step === "building",
  );
  await engine.cut();
  expect(await (await box.app(port)).text()).toBe("steady");
  await Bun.sleep(300);
  await engine.mend();
  expect(await box.ended(body.id)).toMatchObject({ status: "success" });
}, 120_000);

test("cancel ends a build at once and keeps the old release", async () => {
  await git.commit("slow", { Dockerfile: `FROM busybox:1.36\nRUN echo ${Math.random()}; sleep 3318\n` });
  const { body } = await box.api<{ id: string }>("POST", "/deploy", {
    repo_url: git.url("slow"),
    name: "steady",
    replace_source: true,
    wait: false,
  });
  await box.until("the step runs", async () =>
    (await processes()).some((line) => line.includes("sleep\u00003318")),
  );
  await box.api("POST", `/deployments/${body.id}/cancel`, {});
  expect((await box.ended(body.id, 5000)).status).toBe("cancelled");
  expect(await (await box.app(port)).text()).toBe("steady");
  await box.until(
    "no step runs on",
    async () => !(await processes()).some((line) => line.includes("sleep\u00003318")),
  );
}, 60_000);

test("a newer deployment supersedes those still queued", async () => {
  await git.commit("slow", {
    Dockerfile: `FROM busybox:1.36\nRUN echo ${Math.random()}; sleep 2\nCMD ["httpd","-f","-p","8080"]\n`,
  });
  const ask = () =>
    box.api<{ id: string }>("POST", "/deploy", {
      repo_url: git.url("slow"),
      name: "steady",
      replace_source: true,
      wait: false,
    });
  const first = (await ask()).body.id;
  await box.until(
    "the first runs",
    async () => (await box.api("GET", `/deployments/${first}`)).body.status === "building",
  );
  const second = (await ask()).body.id;
  const third = (
    await box.api<{ id: string }>("POST", "/deploy", {
      repo_url: git.url("steady"),
      name: "steady",
      replace_source: true,
      wait: false,
    })
  ).body.id;
  expect((await box.ended(second)).status).toBe("superseded");
  expect((await box.ended(third)).status).toBe("success");
  expect(await (await box.app(port)).text()).toBe("steady");
}, 90_000);

async function processes(): Promise<string[]> {
  const lines: string[] = [];
  for await (const path of new Bun.Glob("[0-9]*/cmdline").scan("/proc"))
    lines.push(
      await Bun.file(`/proc/${path}`)
        .text()
        .catch(() => ""),
    );
  return lines;
}
