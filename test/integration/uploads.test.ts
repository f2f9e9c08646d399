import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pack } from "tar-stream";
import { paths } from "../../src/config.ts";
import { Box } from "../support/start-box.ts";

const MiB = 1024 * 1024;
const SITE: Record<string, string> = {
  Dockerfile: `FROM busybox:1.36\nCOPY . /www\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
  "index.html": "from an archive",
  ".env.example": "GREETING=hello\n",
};

interface Upload {
  upload_id: string;
  sha256: string;
  detected: { provider: string; config: { name: string }[] } | null;
}

let box: Box;
beforeAll(async () => {
  box = await Box.start();
}, 60_000);
afterAll(() => box?.[Symbol.asyncDispose](), 60_000);

async function send(
  app: string,
  body: BodyInit,
): Promise<{ status: number; body: Upload & { code?: string } }> {
  const answer = await fetch(`http://box/api/v1/apps/${app}/uploads`, {
    method: "POST",
    unix: join(box.data, "control.sock"),
    body,
  });
  return { status: answer.status, body: (await answer.json()) as Upload };
}

async function tarOf(files: Record<string, string>): Promise<Uint8Array<ArrayBuffer>> {
  const archive = pack();
  for (const [name, text] of Object.entries(files)) archive.entry({ name }, text);
  archive.finalize();
  return new Uint8Array(await new Response(archive as unknown as BodyInit).arrayBuffer());
}

function zipOf(files: Record<string, string>): Uint8Array<ArrayBuffer> {
  const script = `import json, sys, zipfile
with zipfile.ZipFile(sys.stdout.buffer, "w", zipfile.ZIP_DEFLATED) as z:
    for name, text in json.loads(sys.argv[1]).items(): z.writestr(name, text)`;
  return new Uint8Array(Bun.spawnSync(["python3", "-c", script, JSON.stringify(files)]).stdout);
}

for (const [kind, make] of Object.entries({
  tar: () => tarOf(SITE),
  "tar.gz": async () => Bun.gzipSync(await tarOf(SITE)),
  zip: async () => zipOf(SITE),
}))
  test(`POST apps/:app/uploads takes a ${kind}, says what it found, and the app is deployed from it`, async () => {
    const name = `by-${kind.replace(".", "-")}`;
    const bytes = await make();
    const { status, body } = await send(name, bytes);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      sha256: createHash("sha256").update(bytes).digest("hex"),
      detected: { provider: "dockerfile", config: [{ name: "GREETING" }] },
    });
    const { port } = await box.deploy({ upload_id: body.upload_id, name });
    expect(await (await box.app(port)).text()).toBe("from an archive");

    const again = await send(name, await tarOf({ ...SITE, "index.html": "again" }));
    const deployed = await box.api("POST", `/apps/${name}/deployments`, { upload_id: again.body.upload_id });
    expect(deployed.status).toBe(201);
    expect(await (await box.app(port)).text()).toBe("again");
  }, 60_000);

test("an archive's odd names survive the build", async () => {
  const odd = { "-rf": "dash", "new\nline": "newline", "$(touch x)": "dollar", "`x`;y": "ticks" };
  const { body } = await send("odd", await tarOf({ ...SITE, ...odd }));
  const { port } = await box.deploy({ upload_id: body.upload_id, name: "odd" });
  for (const [name, text] of Object.entries(odd))
    expect(await (await box.app(port, `/${encodeURIComponent(name)}`)).text()).toBe(text);
}, 60_000);

test("an upload belongs to the app it was sent for", async () => {
  const { body } = await send("by-tar", await tarOf(SITE));
  const stolen = await box.api("POST", "/deploy", { upload_id: body.upload_id, name: "thief" });
  expect(stolen).toMatchObject({ status: 422, body: { code: "upload_not_found" } });
  const other = await box.api("POST", "/apps/by-zip/deployments", { upload_id: body.upload_id });
  expect(other).toMatchObject({ status: 422, body: { code: "upload_not_found" } });
  expect((await box.api("GET", "/apps/thief")).status).toBe(404);
  expect((await send("No Name", await tarOf(SITE))).status).toBe(422);
});

/** A tar of one file of that many bytes, made up as it is sent. */
function giantTar(bytes: number): ReadableStream<Uint8Array> {
  const archive = pack();
  const entry = archive.entry({ name: "big.bin", size: bytes });
  const block = Buffer.alloc(MiB, "not nothing, as zeros might be skipped ");
  let left = bytes;
  const feed = () => {
    while (left > 0) {
      left -= block.length;
      if (!entry.write(block)) return void entry.once("drain", feed);
    }
    entry.end();
    archive.finalize();
  };
  feed();
  return new Response(archive as unknown as BodyInit).body!;
}

/** Resident memory of the control plane, MiB. */
async function residentMiB(): Promise<number> {
  const status = await readFile(`/proc/${box.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

test("an upload of 1 GB goes to disk at flat memory", async () => {
  const before = await residentMiB();
  let peak = before;
  let sending = true;
  const watching = (async () => {
    for (; sending; await Bun.sleep(20)) peak = Math.max(peak, await residentMiB());
  })();
  const { status, body } = await send("giant", giantTar(1024 * MiB));
  sending = false;
  await watching;
  expect(status).toBe(201);
  expect((await stat(join(paths.uploads(box.data), body.upload_id))).size).toBeGreaterThan(1024 * MiB);
  // A quarter of what was sent: what is freed is not given back at once.
  expect(peak - before).toBeLessThan(256);
}, 120_000);

test("an upload that breaks off leaves nothing behind", async () => {
  const uploads = paths.uploads(box.data);
  const before = (await readdir(uploads)).sort();
  const leaving = new AbortController();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(new Uint8Array(MiB));
      await box.until("a part is on disk", async () =>
        (await readdir(uploads)).some((name) => name.endsWith(".part")),
      );
      leaving.abort();
    },
  });
  const sending = fetch("http://box/api/v1/apps/broken/uploads", {
    method: "POST",
    unix: join(box.data, "control.sock"),
    body,
    signal: leaving.signal,
  });
  await expect(sending).rejects.toThrow();
  await box.until("it is gone", async () => (await readdir(uploads)).length === before.length);
  expect((await readdir(uploads)).sort()).toEqual(before);
}, 60_000);
