import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

setDefaultTimeout(180_000);
let box: Box;
let git: GitServer;
beforeAll(async () => {
  git = await serveRepositories();
  box = await Box.start();
});
afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
});

const CANARY = "canary-5b1f0c9e";

interface Deployment {
  id: string;
  warnings: { code: string; detail: string }[];
}

const logOf = async (id: string) => (await box.api<string>("GET", `/deployments/${id}/log`)).body;

async function again(app: string): Promise<string> {
  const { status, body } = await box.api<{ deployment_id: string }>("POST", `/apps/${app}/deployments`, {});
  expect({ status, body }).toMatchObject({ status: 201 });
  return logOf(body.deployment_id);
}

/** Everything that the engine keeps of an image: its history and the bytes of its layers. */
async function keptOf(app: string): Promise<string> {
  const { body } = await box.api<{ status: string; image_id: string }[]>("GET", `/apps/${app}/releases`);
  const id = body.find(({ status }) => status === "current")?.image_id ?? "";
  const outputs = ["history --no-trunc", "inspect", "save"].map((words) => {
    const [verb = "", ...options] = words.split(" ");
    const { stdout, exitCode } = Bun.spawnSync(["/usr/bin/docker", verb, ...options, id], {
      maxBuffer: 1024 ** 3,
    });
    expect(exitCode).toBe(0);
    return stdout.includes(CANARY) ? `${verb} has it` : verb;
  });
  return outputs.join(", ");
}

const SERVER = `require("http").createServer((_, res) => {
  const fs = require("fs");
  res.end(fs.readFileSync("built.txt"));
}).listen(process.env.PORT);`;

const NODE_APP = {
  "package.json": JSON.stringify({
    engines: { node: "22" },
    scripts: { start: "node server.js", build: "sh build.sh" },
  }),
  "server.js": SERVER,
  "build.sh": `env
echo "$NPM_TOKEN"
test -n "$NPM_TOKEN" || exit 7
echo "api=$VITE_API mode=$MODE arg=$STAGE pre=$(cat generated 2>/dev/null) hidden=$OTHER" > built.txt
`,
  "app.json": JSON.stringify({ hooks: { pre_build: "echo made > generated" } }),
};

test("a buildpack's build sees what is named or public, rebuilds when it changes, and keeps no secret", async () => {
  await git.commit("page", NODE_APP);
  const first = await box.api<{ code: string }>("POST", "/deploy", {
    repo_url: git.url("page"),
    name: "page",
    env_vars: [
      { name: "VITE_API", value: "one" },
      { name: "OTHER", value: "not for the build" },
    ],
  });
  expect(first.body).toMatchObject({ code: "build_failed" });
  const build = { secrets: ["NPM_TOKEN"], args: { STAGE: "blue" }, env: { MODE: "fast" } };
  expect((await box.api("PATCH", "/apps/page", { build, drain_s: 0 })).status).toBe(200);
  const unset = await box.api<{ code: string; detail: string }>("POST", "/deploy", {
    repo_url: git.url("page"),
    name: "page",
  });
  expect(unset.body).toMatchObject({ code: "config_missing" });
  expect(unset.body.detail).toContain("NPM_TOKEN (build.secrets)");

  const { port, deployment_id } = await box.deploy({
    repo_url: git.url("page"),
    name: "page",
    env_vars: [{ name: "NPM_TOKEN", value: CANARY }],
  });
  const log = await logOf(deployment_id);
  expect(await (await box.app(port)).text()).toBe("api=one mode=fast arg=blue pre=made hidden=\n");
  expect(log).not.toContain(CANARY);
  expect(log).toContain("NPM_TOKEN=****");
  expect(log).toContain(
    "the build sees VITE_API (public by its name), NPM_TOKEN (secret, from build.secrets)",
  );
  expect(log).toContain("pre_build: echo made > generated (from hooks.pre_build in app.json)");
  expect(await keptOf("page")).toBe("history, inspect, save");

  const plan = await box.api<{ provider: string; config: string[]; dockerfile: string }>(
    "GET",
    "/apps/page/plan",
  );
  expect(plan.body).toMatchObject({ provider: "node", config: ["NPM_TOKEN", "VITE_API"] });
  expect(plan.body.dockerfile).toContain("ARG VITE_API\n");
  expect(JSON.stringify(plan.body)).not.toContain(CANARY);

  expect(await again("page")).toMatch(/sh build\.sh|npm run build/);
  const cached = await again("page");
  expect(cached).toMatch(/run build … cached/);
  const changed = await box.api<{ deployment_id: string }>("PATCH", "/apps/page/env", { VITE_API: "two" });
  await box.ended(changed.body.deployment_id);
  const { body } = await box.api<Deployment>("GET", `/deployments/${changed.body.deployment_id}`);
  expect(body.warnings).toMatchObject([{ code: "needs_build" }]);
  expect(body.warnings[0]!.detail).toContain("VITE_API");
  expect(await (await box.app(port)).text()).toStartWith("api=one");
  expect(await again("page")).not.toMatch(/run build … cached/);
  expect(await (await box.app(port)).text()).toStartWith("api=two");

  await box.api("PATCH", "/apps/page/env", { NPM_TOKEN: `${CANARY}-2` });
  await box.settled();
  const rotated = await again("page");
  expect(rotated).not.toMatch(/run build … cached/);
  expect(rotated).not.toContain(CANARY);
});

test("a Dockerfile of the person's own gets arguments and secrets, and a failing build keeps its secret", async () => {
  const dockerfile = `FROM busybox:1.36
ARG VITE_API
ARG STAGE
RUN --mount=type=secret,id=NPM_TOKEN echo "$VITE_API $STAGE $(wc -c < /run/secrets/NPM_TOKEN)" > /index.html
RUN --mount=type=secret,id=NPM_TOKEN cat /run/secrets/NPM_TOKEN; test ! -e /fail
CMD ["httpd", "-f", "-p", "8080", "-h", "/"]
`;
  await git.commit("own", {
    "docker/Dockerfile": dockerfile,
    "app.json": '{"hooks": {"pre_build": "make"}}',
  });
  expect((await box.api("POST", "/apps", { name: "own" })).status).toBeLessThan(300);
  const build = { dockerfile_path: "/docker/Dockerfile", secrets: ["NPM_TOKEN"], args: { STAGE: "green" } };
  await box.api("PATCH", "/apps/own", { build });
  const { port, deployment_id } = await box.deploy({
    repo_url: git.url("own"),
    name: "own",
    env_vars: [
      { name: "NPM_TOKEN", value: CANARY },
      { name: "VITE_API", value: "one" },
    ],
  });
  expect(await (await box.app(port, "/index.html")).text()).toBe(`one green ${CANARY.length}\n`);
  expect(await keptOf("own")).toBe("history, inspect, save");
  const log = await logOf(deployment_id);
  expect(log).toContain("the pre_build hook (from hooks.pre_build in app.json) does not run");
  expect(log).not.toContain(CANARY);
  await box.api("PATCH", "/apps/own/env", { NPM_TOKEN: `${CANARY}-longer` });
  await box.settled();
  await again("own");
  expect(await (await box.app(port, "/index.html")).text()).toBe(`one green ${CANARY.length + 7}\n`);

  // The same code with another secret: nothing of the first app's build is taken for this one's.
  await box.api("POST", "/apps", { name: "twin" });
  await box.api("PATCH", "/apps/twin", { build });
  const twin = await box.deploy({
    repo_url: git.url("own"),
    name: "twin",
    env_vars: [
      { name: "NPM_TOKEN", value: `${CANARY}!` },
      { name: "VITE_API", value: "one" },
    ],
  });
  expect(await (await box.app(twin.port, "/index.html")).text()).toBe(`one green ${CANARY.length + 1}\n`);

  await git.commit("own", { "docker/Dockerfile": dockerfile.replace("! -e /fail", "-e /fail") });
  const failed = await box.api<{ code: string }>("POST", "/apps/own/deployments", {});
  expect(failed.body).toMatchObject({ code: "build_failed" });
  expect(JSON.stringify(failed.body)).not.toContain(CANARY);
  expect(JSON.stringify(failed.body)).toContain("****");
});
