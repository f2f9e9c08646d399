import { afterEach, describe, expect, test } from "bun:test";
import type { IncomingMessage } from "node:http";
import { buildImage } from "../../../../src/engine/runtime/docker/build.ts";
import { openDockerClient } from "../../../../src/engine/runtime/docker/docker-client.ts";
import { grpcFrame, grpcMessages } from "../../../../src/engine/runtime/docker/grpc.ts";
import { createLog } from "../../../../src/log.ts";
import { type Answer, fakeEngine } from "../fake-engine.ts";

const engines: { stop(): void }[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.stop();
});

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Builds this directory on an engine whose answers to `POST /build` are these lines, one list a request. */
async function build(
  answers: object[][],
  secrets: Record<string, string> = {},
  info: Record<string, Answer> = {},
) {
  const requests: { query: URLSearchParams; bytes: Buffer }[] = [];
  const engine = await fakeEngine({
    ...info,
    "/build": async (request, response) => {
      requests.push({
        query: new URL(request.url ?? "", "http://engine").searchParams,
        bytes: await body(request),
      });
      response.end((answers[requests.length - 1] ?? []).map((line) => `${JSON.stringify(line)}\n`).join(""));
    },
  });
  engines.push(engine);
  const client = await openDockerClient(
    engine.address,
    "box1",
    createLog("error", () => {}),
  );
  const lines: string[] = [];
  const request = {
    context: import.meta.dir,
    dockerfile: { text: "FROM busybox\n" },
    tag: "diplo/blog:7",
    labels: {},
    args: { A: "1" },
    target: null,
    secrets,
    registries: [],
    no_cache: false,
    deadline_ms: 10_000,
  };
  const work = buildImage(client, request, (line) => lines.push(line.text), new AbortController().signal);
  const outcome = await work.then(
    (made) => made.image_id,
    (error) => error.code as string,
  );
  return { outcome, requests, lines };
}

const DONE = { id: "moby.image.id", aux: { ID: "sha256:1" } };
const STALL = { errorDetail: { message: "rpc error: code = Unknown desc = transfer stalled" } };

describe("buildImage", () => {
  test("asks BuildKit to read the context through the session, and puts no secret into the request", async () => {
    const { outcome, requests } = await build([[DONE]], { TOKEN: "pa$$word" });
    expect(outcome).toBe("sha256:1");
    const { query, bytes } = requests[0] ?? { query: new URLSearchParams(), bytes: Buffer.from("x") };
    expect(Object.fromEntries(query)).toMatchObject({
      version: "2",
      remote: "client-session",
      t: "diplo/blog:7",
    });
    expect(query.get("session")).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(query.get("labels") ?? "")).toEqual({ "diplo.box": "box1" });
    expect(query.has("pull")).toBe(false);
    expect(bytes.length).toBe(0);
    expect(query.toString()).not.toContain("pa%24");
  });

  test("sends the context whole when its transfer stalled", async () => {
    const { outcome, requests } = await build([[STALL], [DONE]]);
    expect(outcome).toBe("sha256:1");
    expect(requests.length).toBe(2);
    expect(requests[1]?.query.has("remote")).toBe(false);
    expect(requests[1]?.query.has("session")).toBe(true);
    expect(requests[1]?.bytes.includes(".diplo.Dockerfile")).toBe(true);
    expect(requests[1]?.bytes.includes("build.test.ts")).toBe(true);
  });

  test("an answer that ends without image or error is engine_down", async () => {
    expect((await build([[]])).outcome).toBe("engine_down");
  });

  test("Podman gets a tar, and the log says which secrets it cannot have", async () => {
    const version: Answer = (_request, response) =>
      response.end(JSON.stringify({ ApiVersion: "1.41", Components: [{ Name: "Podman Engine" }] }));
    const { outcome, requests, lines } = await build(
      [[{ aux: { ID: "sha256:2" } }]],
      { TOKEN: "x" },
      { "/version": version },
    );
    expect(outcome).toBe("sha256:2");
    expect(requests[0]?.query.has("session")).toBe(false);
    expect(requests[0]?.bytes.length).toBeGreaterThan(1_024);
    expect(lines).toEqual(["Podman has no build secrets; left out: TOKEN"]);
  });
});

test("grpcMessages yields the same wherever the chunks are cut", async () => {
  const messages = ["", "a", "x".repeat(300)];
  const bytes = Buffer.concat(messages.map((message) => grpcFrame(Buffer.from(message))));
  for (const size of [1, 2, 7, 100, bytes.length]) {
    const chunks = (async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })();
    const found: string[] = [];
    for await (const message of grpcMessages(chunks)) found.push(Buffer.from(message).toString());
    expect(found).toEqual(messages);
  }
});
