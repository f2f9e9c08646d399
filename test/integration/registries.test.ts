import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { type ImageRegistry, serveRegistry } from "../support/image-registry.ts";
import { Box } from "../support/start-box.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const USER = "robot";
/** Looked for everywhere afterwards. */
const CANARY = "canary-7c1f0a5e93d24b68";
const WEB = {
  config: {
    Cmd: [
      "sh",
      "-c",
      'mkdir -p /tmp/www && echo private > /tmp/www/index.html && exec httpd -f -p "$PORT" -h /tmp/www',
    ],
    Env: ["PATH=/bin:/usr/bin:/usr/sbin"],
  },
};

let box: Box;
let registry: ImageRegistry;
let git: GitServer;

beforeAll(async () => {
  registry = await serveRegistry({ credentials: { username: USER, password: CANARY } });
  git = await serveRepositories();
  box = await Box.start();
  await registry.push("you/secret", "1", WEB);
}, 60_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
  await registry?.stop();
}, 60_000);

async function diplo(args: string[], stdin = "") {
  const child = Bun.spawn([process.execPath, MAIN, ...args, "--data", box.data], {
    stdin: new TextEncoder().encode(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

/** Command lines of every process, sampled while the work goes on. */
async function sampled<T>(work: Promise<T>): Promise<{ answer: T; lines: string }> {
  const seen = new Set<string>();
  let over = false;
  const answer = work.finally(() => {
    over = true;
  });
  while (!over) {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
      for (const file of ["cmdline", "environ"])
        try {
          seen.add(readFileSync(`/proc/${pid}/${file}`, "latin1"));
        } catch {
          // It ended meanwhile.
        }
    await Promise.race([answer.catch(() => {}), Bun.sleep(20)]);
  }
  return { answer: await answer, lines: [...seen].join("\n") };
}

async function output(...args: string[]): Promise<string> {
  return new Response(Bun.spawn(["/usr/bin/docker", ...args]).stdout).text();
}

/** Every file of the box, database and logs included. */
function everything(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

interface Problem {
  code: string;
  hint: string;
}

test("a private image and a private base image need the registry's credentials, which leak nowhere", async () => {
  const image = `${registry.server}/you/secret:1`;
  await git.commit("based", { Dockerfile: `FROM ${image}\nENV A=b\nRUN echo built\n` });
  const repo_url = git.url("based");
  const ask = (input: object) => box.api<Problem>("POST", "/deploy", input);

  expect((await ask({ image, name: "private" })).body).toMatchObject({
    code: "auth_failed",
    hint: `Let the box sign in there: diplo registries:add ${registry.server} USER --password -`,
  });
  expect((await ask({ repo_url, name: "based" })).body.code).toBe("auth_failed");

  // On the command line everyone on this machine could read it.
  const shown = await diplo(["registries:add", registry.server, USER, "--password", "x"]);
  expect([shown.code, shown.err]).toEqual([2, expect.stringContaining("--password - (from stdin)")]);
  await diplo(["registries:add", registry.server, USER, "--password", "-"], "wrong");
  const wrong = await diplo(["registries:test", registry.server]);
  expect([wrong.code, wrong.err]).toEqual([
    1,
    expect.stringContaining("refused this user name and password"),
  ]);
  expect((await ask({ image, name: "private" })).body).toMatchObject({
    code: "auth_failed",
    hint: `Check them: diplo registries:test ${registry.server}`,
  });

  const { answer, lines } = await sampled(
    (async () => {
      const added = await diplo(["registries:add", registry.server, USER, "--password", "-"], CANARY);
      const tested = await diplo(["registries:test", registry.server]);
      const first = await box.deploy({ image, name: "private" });
      const second = await box.deploy({ repo_url, name: "based" });
      return { added, tested, first, second };
    })(),
  );
  expect([answer.added.code, answer.tested.out]).toEqual([
    0,
    `${registry.server} lets the box in as ${USER}.\n`,
  ]);
  expect(await (await box.app(answer.first.port)).text()).toBe("private\n");
  expect(await (await box.app(answer.second.port)).text()).toBe("private\n");

  const listed = await diplo(["registries"]);
  expect(listed.out).toContain(`${registry.server}  ${USER}`);
  const [release] = (await box.api<{ image_id: string }[]>("GET", "/apps/based/releases")).body;
  const id = release?.image_id ?? "";
  const history = (await output("history", "--no-trunc", id)) + (await output("inspect", id));
  const logs = await Promise.all(
    [answer.first, answer.second].map(async ({ deployment_id }) =>
      JSON.stringify([
        (await box.api("GET", `/deployments/${deployment_id}/log`)).body,
        (await box.api("GET", `/deployments/${deployment_id}`)).body,
      ]),
    ),
  );
  const places = { argv: lines, data: everything(box.data), logs: logs.join(), listed: listed.out, history };
  const encoded = [
    CANARY,
    Buffer.from(`${USER}:${CANARY}`).toString("base64"),
    Buffer.from(CANARY).toString("base64").slice(0, -2),
  ];
  for (const [place, text] of Object.entries(places))
    expect([place, encoded.filter((secret) => text.includes(secret))]).toEqual([place, []]);
  // The search can find: the user name is no secret and stands in the database.
  expect(places.data).toContain(USER);
  expect(places.history).toContain("RUN");

  expect((await diplo(["registries:remove", registry.server])).code).toBe(0);
  expect((await box.api<unknown[]>("GET", "/registries")).body).toEqual([]);
}, 120_000);

test("registries are the owner's: who may only deploy sees and changes none", async () => {
  const { body } = await box.api<{ token: string }>("POST", "/tokens", { name: "ci", scopes: ["deploy"] });
  const asked = (method: string, path: string) =>
    fetch(`http://127.0.0.1:${box.controlPort}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${body.token}`, "content-type": "application/json" },
      body:
        method === "POST" ? JSON.stringify({ server: "a.example", username: "u", password: "p" }) : undefined,
    }).then(({ status }) => status);
  expect(await asked("GET", "/registries")).toBe(403);
  expect(await asked("POST", "/registries")).toBe(403);
});

test("a registry that is away is told apart from one that refuses", async () => {
  await box.api("POST", "/registries", { server: "127.0.0.1:1", username: "u", password: "p" });
  const { status, body } = await box.api<Problem>("POST", "/registries/127.0.0.1%3A1/test");
  expect({ status, code: body.code }).toEqual({ status: 502, code: "registry_unreachable" });
  expect((await box.api("DELETE", "/registries/127.0.0.1%3A1")).status).toBe(200);
});
