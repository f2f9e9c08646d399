import { expect, test } from "bun:test";
import { startControlBox } from "./control-box.ts";

const MB = 1024 * 1024;

/** What takes the stream, in the place of the disk. */
const stub = (receive: (body: ReadableStream<Uint8Array>) => Promise<object>) => ({
  uploads: { receive: (_app: string, body: ReadableStream<Uint8Array>) => receive(body) },
});

test("POST apps/:app/uploads streams 200 MB at flat memory", async () => {
  let received = 0;
  let peakRss = 0;
  await using box = await startControlBox({
    stubs: stub(async (body) => {
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
        received += chunk.length;
        peakRss = Math.max(peakRss, process.memoryUsage.rss());
      }
      return { upload_id: "01U" };
    }),
  });
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  // The client is a process of its own: its memory is not what is measured.
  const client = Bun.spawn(
    [
      process.execPath,
      "-e",
      `let sent = 0;
       const body = new ReadableStream({ pull(c) { if (sent++ < 200) c.enqueue(new Uint8Array(${MB}).fill(sent)); else c.close(); } });
       const r = await fetch(process.argv[1] + "/api/v1/apps/blog/uploads", { method: "POST", body, headers: { authorization: "Bearer " + process.env.TOKEN } });
       console.log(r.status, await r.text());`,
      box.url,
    ],
    { stdout: "pipe", env: { ...process.env, TOKEN: box.token(["deploy"]) } },
  );
  expect((await new Response(client.stdout).text()).trim()).toBe('201 {"upload_id":"01U"}');
  expect(received).toBe(200 * MB);
  expect((peakRss - before) / MB).toBeLessThan(80);
}, 30_000);

test("POST apps/:app/uploads refuses an empty body and one without permission, whose body it leaves unread", async () => {
  let asked = false;
  await using box = await startControlBox({
    stubs: stub(async () => {
      asked = true;
      return { upload_id: "01U" };
    }),
  });
  const post = (scopes: string[], body?: string) =>
    fetch(`${box.url}/api/v1/apps/blog/uploads`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${box.token(scopes)}` },
    });
  expect((await post(["deploy"])).status).toBe(422);
  expect((await post(["read"], "x".repeat(MB))).status).toBe(403);
  expect(asked).toBe(false);
});
