import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ImageRegistry, serveRegistry } from "../support/image-registry.ts";
import { Box } from "../support/start-box.ts";

const HTTPD = {
  Cmd: [
    "sh",
    "-c",
    'mkdir -p /tmp/www && echo "it is $VERSION" > /tmp/www/index.html && exec httpd -f -p "$PORT" -h /tmp/www',
  ],
  ExposedPorts: { "8000/tcp": {} },
};
const answering = (version: string) => ({
  config: { ...HTTPD, Env: [`VERSION=${version}`, "PATH=/bin:/usr/bin:/usr/sbin"] },
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
}

const releases = async (app: string) => (await box.api<ReleaseBody[]>("GET", `/apps/${app}/releases`)).body;

test("deploy of an image runs it by its digest, and a tag that moved is found again", async () => {
  const first = await registry.push("you/moving", "1", answering("one"));
  const { name, port } = await box.deploy({ image: `${registry.server}/you/moving:1` });
  expect(name).toBe("moving");
  expect(await (await box.app(port)).text()).toBe("it is one\n");
  const second = await registry.push("you/moving", "1", answering("two"));
  await box.api("POST", "/apps/moving/deployments", {});
  expect(await (await box.app(port)).text()).toBe("it is two\n");
  const made = await releases("moving");
  expect(made.map(({ version, image, provider }) => ({ version, image, provider }))).toEqual([
    { version: 2, image: `${registry.server}/you/moving@${second}`, provider: "image" },
    { version: 1, image: `${registry.server}/you/moving@${first}`, provider: "image" },
  ]);
  await box.api("POST", "/apps/moving/rollback", {});
  expect(await (await box.app(port)).text()).toBe("it is one\n");
}, 60_000);
