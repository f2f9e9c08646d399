import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Box } from "../support/start-box.ts";

const DIPLO = join(import.meta.dir, "../../dist/diplo");

let box: Box;
let place: string;

beforeAll(async () => {
  box = await Box.start({ executable: DIPLO });
  place = mkdtempSync(join(tmpdir(), "diplo-cli-"));
  writeApp("echo");
}, 60_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  rmSync(place, { recursive: true, force: true });
}, 60_000);

/** A small app that prints each request's path. */
function writeApp(name: string, files: Record<string, string> = {}): string {
  const directory = join(place, name);
  mkdirSync(directory, { recursive: true });
  const server = `require("http").createServer((q, s) => { console.log("asked " + q.url); s.end("hello") }).listen(process.env.PORT);
process.on("SIGTERM", () => process.exit(0));`;
  const all = { "package.json": '{"scripts":{"start":"node server.js"}}', "server.js": server, ...files };
  for (const [path, text] of Object.entries(all)) writeFileSync(join(directory, path), text);
  return directory;
}

function start(...args: string[]) {
  return Bun.spawn([DIPLO, ...args, "--data", box.data], {
    cwd: place,
    env: { PATH: process.env.PATH, HOME: place },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** The stream stays open: a program whose reader left would end by that. */
async function readUntil(stream: ReadableStream<Uint8Array>, words: string): Promise<void> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let heard = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    heard += decoder.decode(piece.value, { stream: true });
    if (heard.includes(words)) return reader.releaseLock();
  }
  throw new Error(`it ended without "${words}": ${heard}`);
}

/** The same with the flags first, for verbs whose last words are a person's own command, and with stdin. */
async function diplo(args: string[], stdin: string | Uint8Array = "") {
  const [verb = "", ...rest] = args;
  const child = Bun.spawn([DIPLO, verb, "--data", box.data, ...rest], {
    cwd: place,
    env: { PATH: process.env.PATH, HOME: place },
    stdin: typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out: Buffer.from(out).toString(), err };
}

test("diplo deploy of a directory ends with addresses that answer", async () => {
  const { code, out, err } = await diplo(["deploy", "echo"]);
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(err).toContain("✓ echo v1 is live");
  const [first = ""] = out.split("\n");
  expect(await (await fetch(first)).text()).toBe("hello");
  const { out: listed } = await diplo(["apps"]);
  expect(listed).toMatch(/^echo +running +v1 +1\/1/m);
}, 120_000);

test("diplo config:set brings stdin and files to the program byte for byte", async () => {
  const secret = "pa$$word 'single' \"double\" `id` $(id)\nsecond line é🚀\n";
  const big = `${"x".repeat(100 * 1024)}\n`;
  writeFileSync(join(place, "big.txt"), big);
  const set = await diplo(["config:set", "-a", "echo", "SECRET=-", "BIG=@big.txt", "PLAIN=a=b c"], secret);
  expect(set).toMatchObject({ code: 0 });
  const show = "process.stdout.write(process.env.SECRET + process.env.BIG + process.env.PLAIN)";
  const { code, out } = await diplo(["run", "-a", "echo", "--", "node", "-e", show]);
  expect(code).toBe(0);
  expect(out).toBe(`${secret}${big}a=b c`);
  expect((await diplo(["config:get", "-a", "echo", "SECRET"])).out).toBe(`${secret}\n`);
}, 120_000);

test("diplo run passes stdin, keeps the streams apart, loses no output and exits as the command did", async () => {
  const input = new Uint8Array(3_000_000).fill(97);
  const counted = await diplo(
    ["run", "-a", "echo", "--", "sh", "-c", "wc -c; echo warned >&2; exit 7"],
    input,
  );
  expect(counted).toEqual({ code: 7, out: "3000000\n", err: "warned\n" });
  const { out } = await diplo([
    "run",
    "-a",
    "echo",
    "--",
    "node",
    "-e",
    "process.stdout.write('y'.repeat(5e6))",
  ]);
  expect(out.length).toBe(5e6);
}, 120_000);

test("diplo logs --tail shows a line as it is printed, until Ctrl-C", async () => {
  const child = start("logs", "-a", "echo", "--tail", "-n", "0");
  const app = (await box.api<{ port: number }>("GET", "/apps/echo")).body;
  const asking = setInterval(() => void box.app(app.port, "/from-the-test").catch(() => {}), 200);
  await readUntil(child.stdout, "asked /from-the-test");
  clearInterval(asking);
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
}, 60_000);

test("diplo deploy of what does not build shows the step's last lines, once, and the reason, and exits with 1", async () => {
  writeApp("broken", { Dockerfile: "FROM debian:bookworm-slim\nRUN echo a-telling-line && exit 9\n" });
  const { code, out, err } = await diplo(["deploy", "broken"]);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err.match(/^ *│ *a-telling-line$/gm)).toHaveLength(1);
  expect(err).toContain("(build_failed)");
}, 120_000);

test("Ctrl-C leaves a deployment going", async () => {
  const child = start("deploy", "echo", "--name", "left");
  await readUntil(child.stderr, "building");
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  const { body } = await box.api<{ id: string }[]>("GET", "/apps/left/deployments");
  expect((await box.ended(body[0]!.id)).status).toBe("success");
}, 120_000);

test("diplo destroy-box works only on a stopped box, leaves volumes and images, and with --purge nothing", async () => {
  await diplo(["storage:add", "-a", "echo", "/data"]);
  await box.settled();
  expect(await diplo(["destroy-box", "--yes"])).toMatchObject({
    code: 1,
    err: expect.stringContaining("another Diplo"),
  });
  await box.kill("SIGKILL");
  expect(await diplo(["apps"])).toMatchObject({
    code: 1,
    err: expect.stringContaining("Diplo is not running"),
  });
  expect(await diplo(["destroy-box"])).toMatchObject({ code: 2 });
  const runtime = await box.runtime();
  const images = (await runtime.listImages()).length;
  expect(await diplo(["destroy-box", "--yes"])).toMatchObject({ code: 0 });
  const counts = async () =>
    [
      await runtime.list(),
      await runtime.listNetworks(),
      await runtime.listImages(),
      await runtime.listVolumes(),
    ].map(({ length }) => length);
  expect(await counts()).toEqual([0, 0, images, 1]);
  expect(await diplo(["destroy-box", "--yes", "--purge"])).toMatchObject({ code: 0 });
  expect(await counts()).toEqual([0, 0, 0, 0]);
  await runtime.close();
}, 120_000);
