import { afterAll, beforeAll, expect, test } from "bun:test";
import { serveRepositories } from "../support/git-server.ts";
import { type ImageRegistry, serveRegistry, type TestImage } from "../support/image-registry.ts";
import { Box } from "../support/start-box.ts";
import { SteadyClient } from "../support/steady-client.ts";

const PAGE =
  'mkdir -p /tmp/www && echo "it is $VERSION" > /tmp/www/index.html && exec httpd -f -p "$PORT" -h /tmp/www';
const ENV = ["PATH=/bin:/usr/bin:/usr/sbin"];

/** A web server that says its version. */
const answering = (version: string, more: Record<string, unknown> = {}): TestImage => ({
  config: {
    Cmd: ["sh", "-c", PAGE],
    ExposedPorts: { "8000/tcp": {} },
    Env: [...ENV, `VERSION=${version}`],
    ...more,
  },
});

let box: Box;
let registry: ImageRegistry;

beforeAll(async () => {
  registry = await serveRegistry();
  box = await Box.start();
}, 60_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await registry?.stop();
}, 60_000);

interface ReleaseBody {
  version: number;
  image: string | null;
  image_id: string;
  provider: string;
  status: string;
}

interface Problem {
  code: string;
  detail: string;
  hint: string;
  deployment_id: string;
}

const image = (name: string) => `${registry.server}/${name}`;
const releases = async (app: string) => (await box.api<ReleaseBody[]>("GET", `/apps/${app}/releases`)).body;
const refused = async (input: Record<string, unknown>) =>
  (await box.api<Problem>("POST", "/deploy", input)).body;
const page = async (port: number) => (await box.app(port)).text();

/** Names of the engine's images that contain the text, ours and everybody else's. */
async function namesWith(text: string): Promise<string[]> {
  const listed = Bun.spawn([
    "/usr/bin/docker",
    "image",
    "ls",
    "--all",
    "--digests",
    "--format",
    "{{.Repository}}:{{.Tag}}@{{.Digest}}",
  ]);
  return (await new Response(listed.stdout).text()).split("\n").filter((line) => line.includes(text));
}

async function docker(...args: string[]): Promise<void> {
  const child = Bun.spawn(["/usr/bin/docker", ...args], { stdout: "ignore", stderr: "pipe" });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
}

test("deploy of an image runs it by its digest, and a tag that moved is found again", async () => {
  const first = await registry.push("you/moving", "1", answering("one"));
  const { name, port } = await box.deploy({ image: image("you/moving:1") });
  expect(name).toBe("moving");
  expect(await page(port)).toBe("it is one\n");
  const second = await registry.push("you/moving", "1", answering("two"));
  await box.api("POST", "/apps/moving/deployments", {});
  expect(await page(port)).toBe("it is two\n");
  const made = await releases("moving");
  expect(made.map(({ version, image, provider }) => ({ version, image, provider }))).toEqual([
    { version: 2, image: image(`you/moving@${second}`), provider: "image" },
    { version: 1, image: image(`you/moving@${first}`), provider: "image" },
  ]);
  await box.api("POST", "/apps/moving/rollback", {});
  expect(await page(port)).toBe("it is one\n");
  // Another tag is the same source; another image is not.
  await registry.push("you/moving", "2", answering("three"));
  await box.deploy({ image: image("you/moving:2"), name: "moving" });
  expect(await page(port)).toBe("it is three\n");
  expect((await refused({ image: image("you/other:1"), name: "moving" })).code).toBe("app_source_differs");
}, 60_000);

test("deploy of an index takes the variant for this box; an image for others is arch_mismatch at once", async () => {
  await registry.pushIndex("you/multi", "1", [
    { ...answering("arm"), architecture: "arm64" },
    { ...answering("amd"), architecture: "amd64" },
  ]);
  const arm = await registry.pushIndex("you/multi", "2", [{ ...answering("arm"), architecture: "arm64" }]);
  const both = await registry.pushIndex("you/multi", "3", [
    { ...answering("arm"), architecture: "arm64" },
    { ...answering("amd 3"), architecture: "amd64" },
  ]);
  const { port } = await box.deploy({ image: image("you/multi:1") });
  const mine = await page(port);
  expect(mine).toBe(process.arch === "arm64" ? "it is arm\n" : "it is amd\n");
  const client = new SteadyClient(
    `http://127.0.0.1:${port}/`,
    (status, body) => status === 200 && body === mine,
  );
  const downloads = registry.downloads;
  const began = performance.now();
  const problem = await refused({ image: image("you/multi:2"), name: "multi" });
  expect(performance.now() - began).toBeLessThan(5000);
  expect(problem).toMatchObject({
    code: "arch_mismatch",
    detail: `${image("you/multi:2")} is made for linux/arm64; this box runs linux/amd64.`,
  });
  expect(registry.downloads).toBe(downloads);
  // The variant that fits is named where its index is known.
  const pinned = await refused({ image: image(`you/multi:3@${both.images[0]}`), name: "multi" });
  expect(pinned).toMatchObject({ code: "arch_mismatch" });
  expect(pinned.hint).toContain(`${image("you/multi:3")} has a variant for linux/amd64`);
  expect((await refused({ image: image(`you/multi@${arm.digest}`), name: "multi" })).code).toBe(
    "arch_mismatch",
  );
  await client.stop();
  expect(client.failures).toEqual([]);
  expect((await releases("multi")).map(({ status }) => status)).toEqual(["current"]);
}, 60_000);

test("a base image for other machines is arch_mismatch before anything starts", async () => {
  await registry.push("you/arm-base", "1", { ...answering("arm"), architecture: "arm64" });
  const git = await serveRepositories();
  await git.commit("foreign", { Dockerfile: `FROM ${image("you/arm-base:1")}\nLABEL a=b\n` });
  const problem = await refused({ repo_url: git.url("foreign"), name: "foreign" });
  await git.stop();
  expect(problem.code).toBe("arch_mismatch");
  expect(problem.detail).toContain("linux/arm64; this box runs linux/amd64");
  expect(await namesWith("diplo/foreign")).toEqual([]);
}, 60_000);

test("what the engine has is not sent again, and pull_policy says when it is", async () => {
  const digest = await registry.push("you/policy", "1", answering("one"));
  const { port } = await box.deploy({ image: image("you/policy:1") });
  const pull = async (input: Record<string, unknown>) => {
    const { deployment_id } = await box.deploy({ name: "policy", ...input });
    return (await box.api<string>("GET", `/deployments/${deployment_id}/log`)).body;
  };
  expect(await pull({ image: image("you/policy:1") })).toContain(
    "has you/policy@".replace("you", `${registry.server}/you`),
  );
  await box.api("PATCH", "/apps/policy", { pull_policy: "always" });
  expect(await pull({ image: image("you/policy:1") })).toContain("Pulling ");
  await box.api("PATCH", "/apps/policy", { pull_policy: "if_not_present" });
  await registry.push("you/policy", "1", answering("two"));
  // By its digest it is known without the registry.
  expect(await pull({ image: image(`you/policy@${digest}`) })).toContain("already");
  expect(await page(port)).toBe("it is one\n");
  await box.api("PATCH", "/apps/policy", { pull_policy: "never" });
  expect(await refused({ image: image("you/policy:1"), name: "policy" })).toMatchObject({
    code: "image_not_found",
  });
  await docker("pull", "-q", image("you/policy:1"));
  try {
    await box.deploy({ image: image("you/policy:1"), name: "policy" });
    expect(await page(port)).toBe("it is two\n");
  } finally {
    await docker("rmi", image("you/policy:1"));
  }
}, 90_000);

test("only the names that Diplo gave are taken away: a person's image stays, releases that are kept stay", async () => {
  await registry.push("you/kept", "1", answering("0"));
  const { port } = await box.deploy({ image: image("you/kept:1") });
  await docker("pull", "-q", image("you/kept:1"));
  const theirs = (await namesWith("/you/kept")).toSorted();
  for (let version = 1; version <= 5; version++) {
    await registry.push("you/kept", "1", answering(`${version}`));
    await box.api("POST", "/apps/kept/deployments", {});
  }
  await box.settled();
  expect(await page(port)).toBe("it is 5\n");
  // No name by digest is left of what Diplo pulled, and the person's are as they were.
  expect((await namesWith("/you/kept")).toSorted()).toEqual(theirs);
  expect((await namesWith("diplo/kept:")).length).toBe(5);
  expect((await releases("kept")).map(({ status }) => status)).toEqual([
    "current",
    ...Array(4).fill("previous"),
    "pruned",
  ]);
  await box.api("DELETE", "/apps/kept?confirm=kept");
  await box.settled();
  expect(await namesWith("diplo/kept:")).toEqual([]);
  expect((await namesWith("/you/kept")).toSorted()).toEqual(theirs);
  await docker("rmi", image("you/kept:1"));
  expect(await namesWith("/you/kept")).toEqual([]);
}, 120_000);

const large = (version: string): TestImage => ({ ...answering(version), bulk_bytes: 4_000_000 });

const untilPulling = (id: string) =>
  box.until("it pulls", async () => {
    const { message } = (await box.api<{ message: string }>("GET", `/deployments/${id}`)).body;
    return /^pulling: (?!0\.0)\d\.\d of \d\.\d MB$/.test(message);
  });

test("a pull tells its bytes, and a cancel ends it", async () => {
  await registry.push("you/slow", "1", large("slow"));
  const release = registry.stall();
  const { body } = await box.api<{ id: string }>("POST", "/deploy", {
    image: image("you/slow:1"),
    wait: false,
  });
  await untilPulling(body.id);
  const began = performance.now();
  await box.api("POST", `/deployments/${body.id}/cancel`, {});
  expect((await box.ended(body.id)).status).toBe("cancelled");
  expect(performance.now() - began).toBeLessThan(5000);
  release();
  expect(await namesWith("you/slow")).toEqual([]);
  expect(await namesWith("diplo/slow")).toEqual([]);
}, 60_000);

test("two apps from the same image, pulled at once, both have it", async () => {
  await registry.push("you/shared", "1", large("shared"));
  const release = registry.stall();
  const ask = (name: string) =>
    box.api<{ id: string }>("POST", "/deploy", { image: image("you/shared:1"), name, wait: false });
  const ids = (await Promise.all([ask("shared-a"), ask("shared-b")])).map(({ body }) => body.id);
  await box.until("one pulls", () => Promise.any(ids.map(untilPulling)).then(() => true));
  release();
  for (const id of ids) expect(await box.ended(id)).toMatchObject({ status: "success" });
  expect(await namesWith("/you/shared")).toEqual([]);
  expect((await namesWith("diplo/shared-")).length).toBe(2);
}, 60_000);

test("serve killed in the middle of a pull, and after it, lands in the same place", async () => {
  await registry.push("you/crash", "1", answering("before"));
  const { port } = await box.deploy({ image: image("you/crash:1") });
  for (const [count, moment] of ["pulling", "pulled"].entries()) {
    await registry.push("you/crash", "1", large(moment));
    await box.kill("SIGKILL");
    await box.serve(moment === "pulled" ? { crashAt: "deployment:fetching" } : {});
    const release = moment === "pulling" ? registry.stall() : () => {};
    const { body } = await box.api<{ id: string }>("POST", "/apps/crash/deployments", { wait: false });
    if (moment === "pulling") {
      await untilPulling(body.id);
      await box.kill("SIGKILL");
    }
    await box.died();
    // The tag moves on; what was begun is finished.
    await registry.push("you/crash", "1", answering("too late"));
    release();
    await box.serve();
    expect(await box.ended(body.id)).toMatchObject({ status: "success", error: null });
    expect(await page(port)).toBe(`it is ${moment}\n`);
    await box.settled();
    expect(await namesWith("/you/crash")).toEqual([]);
    expect((await namesWith("diplo/crash:")).length).toBe(count + 2);
  }
}, 120_000);

test("what cannot be had says why: image_not_found, auth_failed, registry_unreachable", async () => {
  await registry.push("you/there", "1", answering("1"));
  const missing = await refused({ image: image("you/there:2") });
  expect(missing).toMatchObject({ code: "image_not_found" });
  expect(missing.hint).toContain("Look for a typing error in its name and tag 2");
  const away = await box.api<{ id: string }>("POST", "/deploy", {
    image: "127.0.0.1:1/you/app:1",
    name: "away",
    wait: false,
  });
  await box.until("it tries again", async () => {
    const log = (await box.api<string>("GET", `/deployments/${away.body.id}/log`)).body;
    return log.includes("registry_unreachable") || log.includes("does not answer");
  });
  await box.api("POST", `/deployments/${away.body.id}/cancel`, {});
  for (const [field, input] of [
    ["image", { image: "Not/An Image" }],
    ["image", { image: "ghcr.io/you/app:" }],
    ["branch", { image: "nginx", branch: "main" }],
    ["repo_url", { image: "nginx", repo_url: "https://github.com/you/app" }],
  ] as const) {
    const { body } = await box.api<{ code: string; errors: { field: string }[] }>("POST", "/deploy", input);
    expect({ code: body.code, field: body.errors?.[0]?.field }).toEqual({ code: "invalid", field });
  }
}, 60_000);

test("an image's own EXPOSE, VOLUME and USER count; without a command it says so", async () => {
  const ports = { "9000/tcp": {}, "9001/tcp": {}, "53/udp": {} };
  await registry.push("you/two-ports", "1", answering("two ports", { ExposedPorts: ports }));
  const two = await box.deploy({ image: image("you/two-ports:1") });
  const log = (await box.api<string>("GET", `/deployments/${two.deployment_id}/log`)).body;
  expect(log).toContain("the image exposes ports 9000, 9001");
  await registry.push("you/no-port", "1", answering("no port", { ExposedPorts: undefined }));
  const none = await box.deploy({ image: image("you/no-port:1") });
  expect(await page(none.port)).toBe("it is no port\n");
  const fixed = ["sh", "-c", PAGE.replace('"$PORT"', "9001")];
  await registry.push("you/fixed", "1", answering("fixed", { ExposedPorts: ports, Cmd: fixed }));
  await box.api("POST", "/apps", { name: "fixed" });
  await box.api("PATCH", "/apps/fixed", { health: { start_deadline_s: 5 } });
  expect(await refused({ image: image("you/fixed:1"), name: "fixed" })).toMatchObject({
    code: "wrong_port",
    hint: expect.stringContaining("--port 9001"),
  });
  await registry.push("you/nothing", "1", answering("", { Cmd: undefined }));
  expect(await refused({ image: image("you/nothing:1") })).toMatchObject({
    code: "no_start_command",
    hint: expect.stringContaining("FROM this image"),
  });
  const keeps = [
    "sh",
    "-c",
    'id -u > /data/uid; mkdir -p /tmp/www; cp /data/uid /tmp/www/index.html; exec httpd -f -p "$PORT" -h /tmp/www',
  ];
  const kept = { Cmd: keeps, Volumes: { "/data": {} }, User: "0:0" };
  await registry.push("you/keeps", "1", answering("", kept));
  const { port } = await box.deploy({ image: image("you/keeps:1") });
  expect(await page(port)).toBe("0\n");
  const volumes = (await box.api<{ mount_path: string }[]>("GET", "/apps/keeps/volumes")).body;
  expect(volumes.map(({ mount_path }) => mount_path)).toEqual(["/data"]);
  const user = [
    "sh",
    "-c",
    'mkdir -p /tmp/www && id -u > /tmp/www/index.html && exec httpd -f -p "$PORT" -h /tmp/www',
  ];
  await registry.push("you/user", "1", answering("", { Cmd: user, User: "1234:1234" }));
  expect(await page((await box.deploy({ image: image("you/user:1") })).port)).toBe("1234\n");
}, 120_000);
