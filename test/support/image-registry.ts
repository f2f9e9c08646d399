import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-ports.ts";

const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX = "application/vnd.docker.distribution.manifest.list.v2+json";
const CONFIG = "application/vnd.docker.container.image.v1+json";
const LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

export interface TestImage {
  /** As `docker inspect` calls them: Cmd, ExposedPorts, Volumes, User … */
  config?: Record<string, unknown>;
  architecture?: string;
  os?: string;
  /** Size of a further layer that no other image has, so that it has to be sent. */
  bulk_bytes?: number;
}

export interface ImageRegistry {
  /** `127.0.0.1:<port>`, which every engine takes for insecure, so plain http. */
  server: string;
  /** Puts an image there under a tag; answers its digest. */
  push(repository: string, tag: string, image: TestImage): Promise<string>;
  /** Puts an index of images there; answers its digest and those of its images. */
  pushIndex(
    repository: string,
    tag: string,
    images: TestImage[],
  ): Promise<{ digest: string; images: string[] }>;
  /** Layers are sent to their half until the answer is called: a pull that has begun and does not end. */
  stall(): () => void;
  /** Requests for layers so far. */
  readonly downloads: number;
  stop(): Promise<void>;
}

/** Debian's docker-registry on loopback, behind a door that can slow down what it sends. */
export async function serveRegistry(
  options: { credentials?: { username: string; password: string } } = {},
): Promise<ImageRegistry> {
  const root = await mkdtemp(join(tmpdir(), "diplo-registry-"));
  const port = freePort();
  const child = spawn("docker-registry", ["serve", await configure(root, port, options.credentials)], {
    stdio: "ignore",
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const inner = `http://127.0.0.1:${port}`;
  await untilAnswers(inner);
  let gate: Promise<void> | null = null;
  let downloads = 0;
  const door = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    development: false,
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const isLayer = request.method === "GET" && pathname.includes("/blobs/sha256:");
      const { method, headers } = request;
      const answer = await fetch(inner + pathname + search, { method, headers });
      if (isLayer) downloads++;
      const size = Number(answer.headers.get("content-length"));
      if (!isLayer || gate === null || size < SMALL_BYTES) return answer;
      return new Response(byDrops(new Uint8Array(await answer.arrayBuffer()), gate), answer);
    },
  });
  const server = `127.0.0.1:${door.port}`;
  const auth = options.credentials && basic(options.credentials);
  const put = (repository: string, image: TestImage) => putImage(`${inner}/v2/${repository}`, image, auth);
  const tag = (repository: string, name: string, type: string, manifest: string) =>
    putManifest(`${inner}/v2/${repository}`, name, type, manifest, auth);

  return {
    server,
    push: async (repository, name, image) => tag(repository, name, MANIFEST, await put(repository, image)),
    async pushIndex(repository, name, images) {
      const entries = await Promise.all(
        images.map(async (image) => {
          const manifest = await put(repository, image);
          const digest = await tag(repository, digestOf(manifest), MANIFEST, manifest);
          const platform = { architecture: image.architecture ?? "amd64", os: image.os ?? "linux" };
          return { mediaType: MANIFEST, size: Buffer.byteLength(manifest), digest, platform };
        }),
      );
      const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: entries });
      const digest = await tag(repository, name, INDEX, index);
      return { digest, images: entries.map((entry) => entry.digest) };
    },
    stall() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = null;
        resolve();
      };
    },
    get downloads() {
      return downloads;
    },
    async stop() {
      await door.stop(true);
      child.kill("SIGKILL");
      await exited;
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Configs are not held up: only layers are. Engines tell of a transfer every half megabyte. */
const SMALL_BYTES = 4096;
const DROP_BYTES = 256 * 1024;

/** Half of it by drops; the rest once the gate is open. */
function byDrops(bytes: Uint8Array, gate: Promise<void>): ReadableStream {
  const half = Math.floor(bytes.length / 2);
  return new ReadableStream({
    async start(controller) {
      for (let at = 0; at < half; at += DROP_BYTES)
        controller.enqueue(bytes.subarray(at, Math.min(at + DROP_BYTES, half)));
      await gate;
      controller.enqueue(bytes.subarray(half));
      controller.close();
    },
  });
}

async function configure(
  root: string,
  port: number,
  credentials: { username: string; password: string } | undefined,
): Promise<string> {
  const passwords = join(root, "htpasswd");
  if (credentials) {
    const hash = await Bun.password.hash(credentials.password, { algorithm: "bcrypt", cost: 4 });
    await writeFile(passwords, `${credentials.username}:${hash}\n`);
  }
  const config = {
    version: 0.1,
    log: { level: "error" },
    storage: { filesystem: { rootdirectory: join(root, "data") } },
    http: { addr: `127.0.0.1:${port}`, relativeurls: true, secret: "for tests" },
    ...(credentials && { auth: { htpasswd: { realm: "tests", path: passwords } } }),
  };
  // JSON is YAML.
  await writeFile(join(root, "config.yml"), JSON.stringify(config));
  return join(root, "config.yml");
}

async function untilAnswers(url: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const answer = await fetch(`${url}/v2/`).catch(() => null);
    if (answer) return;
    if (Date.now() > deadline) throw new Error("docker-registry does not answer");
    await Bun.sleep(50);
  }
}

async function putImage(base: string, image: TestImage, auth: string | undefined): Promise<string> {
  const tars = [await busyboxRoot(), ...(image.bulk_bytes ? [tarOfNoise(image.bulk_bytes)] : [])];
  const layers = await Promise.all(
    tars.map(async (tar) => {
      const packed = Bun.gzipSync(new Uint8Array(tar));
      return { mediaType: LAYER, size: packed.length, digest: await putBlob(base, packed, auth) };
    }),
  );
  const config = Buffer.from(
    JSON.stringify({
      architecture: image.architecture ?? "amd64",
      os: image.os ?? "linux",
      config: image.config ?? {},
      rootfs: { type: "layers", diff_ids: tars.map(digestOf) },
      history: tars.map(() => ({ created: "2026-01-01T00:00:00Z", created_by: "a test" })),
    }),
  );
  const digest = await putBlob(base, config, auth);
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, size: config.length, digest },
    layers,
  });
}

async function putBlob(base: string, bytes: Uint8Array, auth: string | undefined): Promise<string> {
  const digest = digestOf(bytes);
  const begun = await fetch(`${base}/blobs/uploads/`, { method: "POST", headers: headers(auth) });
  const place = new URL(begun.headers.get("location") ?? "", base);
  place.searchParams.set("digest", digest);
  const answer = await fetch(place, {
    method: "PUT",
    body: new Uint8Array(bytes),
    headers: headers(auth, "application/octet-stream"),
  });
  if (!answer.ok) throw new Error(`blob: ${answer.status} ${await answer.text()}`);
  return digest;
}

async function putManifest(
  base: string,
  name: string,
  type: string,
  manifest: string,
  auth: string | undefined,
): Promise<string> {
  const answer = await fetch(`${base}/manifests/${name}`, {
    method: "PUT",
    body: manifest,
    headers: headers(auth, type),
  });
  if (!answer.ok) throw new Error(`manifest: ${answer.status} ${await answer.text()}`);
  return digestOf(manifest);
}

function headers(auth: string | undefined, type?: string): Record<string, string> {
  return { ...(auth && { authorization: auth }), ...(type && { "content-type": type }) };
}

const basic = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

const digestOf = (content: Uint8Array | string): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** A tar of one file of noise (POSIX ustar). */
function tarOfNoise(size: number): Uint8Array {
  const header = Buffer.alloc(512);
  header.write("noise", 0);
  header.write("0000644\0", 100);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.fill(" ", 148, 156);
  header.write("0", 156);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, randomBytes(size), Buffer.alloc(512 - (size % 512)), Buffer.alloc(1024)]);
}

let busybox: Promise<Uint8Array> | null = null;

/** The one layer of the busybox image that this machine's engine has. */
function busyboxRoot(): Promise<Uint8Array> {
  busybox ??= layerOf("busybox:1.36");
  return busybox;
}

async function layerOf(image: string): Promise<Uint8Array> {
  const saved = Bun.spawn(["/usr/bin/docker", "save", image], { stdout: "pipe", stderr: "inherit" });
  const files = await new Bun.Archive(await new Response(saved.stdout).blob()).files();
  const manifest = JSON.parse((await files.get("manifest.json")?.text()) ?? "[]");
  const layer = files.get(manifest[0]?.Layers[0]);
  if (!layer || manifest[0].Layers.length !== 1) throw new Error(`${image} has not one layer`);
  return layer.bytes();
}
