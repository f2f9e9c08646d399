import { afterEach, describe, expect, test } from "bun:test";
import { openDockerClient } from "../../../../src/engine/runtime/docker/docker-client.ts";
import { runtimeEvents } from "../../../../src/engine/runtime/docker/events.ts";
import { listInstances } from "../../../../src/engine/runtime/docker/instances.ts";
import { subnets } from "../../../../src/engine/runtime/docker/networks.ts";
import type { DiploError } from "../../../../src/errors.ts";
import { createLog } from "../../../../src/log.ts";
import { type Answer, fakeEngine, json } from "../fake-engine.ts";

const log = createLog("error");
const engines: { stop(): void }[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.stop();
});

async function connect(answers: Record<string, Answer> = {}) {
  const engine = await fakeEngine(answers);
  engines.push(engine);
  return { engine, client: await openDockerClient(engine.address, "box1", log) };
}

const thrown = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error as DiploError,
  );

const ping = (
  client: Awaited<ReturnType<typeof connect>>["client"],
  timeoutMs = 5_000,
  signal?: AbortSignal,
) =>
  client.call("ping", (docker, abortSignal) => docker.listContainers({ abortSignal }), { timeoutMs, signal });

describe("DockerClient.call", () => {
  test("speaks the newest API version that both know", async () => {
    const { engine, client } = await connect({
      "/containers/json": (_request, response) => json(response, []),
    });
    await ping(client);
    expect(engine.seen).toEqual(["/version", "/v1.45/info", "/v1.45/containers/json"]);
  });

  test("an engine that never answers is engine_down after the deadline", async () => {
    const { client } = await connect({ "/containers/json": () => {} });
    expect((await thrown(ping(client, 100)))?.code).toBe("engine_down");
  });

  test("a reply that is cut midway is engine_down, not a wait for ever", async () => {
    const { client } = await connect({
      "/containers/json": (_request, response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write('[{"Id":');
        setTimeout(() => response.destroy(), 20);
      },
    });
    expect((await thrown(ping(client, 500)))?.code).toBe("engine_down");
  });

  test("aborting leaves at once with the signal's reason", async () => {
    const { client } = await connect({ "/containers/json": () => {} });
    await client.engine();
    const began = performance.now();
    const error = await thrown(ping(client, 60_000, AbortSignal.timeout(50)));
    expect(error?.name).toBe("TimeoutError");
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test("the engine's own words survive, in calls and in streams", async () => {
    const refuse: Answer = (_request, response) => json(response, { message: "No such thing: x" }, 404);
    const { client } = await connect({ "/containers/json": refuse, "/events": refuse });
    expect(await thrown(ping(client))).toMatchObject({
      code: "engine_refused",
      engineStatus: 404,
      words: "No such thing: x",
    });
    const stream = client.stream("events", { method: "GET", path: "/events" });
    expect(await thrown(stream)).toMatchObject({ engineStatus: 404, words: "No such thing: x" });
  });

  test("no space left on device is disk_full, whatever was asked", async () => {
    const { client } = await connect({
      "/containers/json": (_request, response) =>
        json(response, { message: "write /var/x: no space left on device" }, 500),
    });
    expect((await thrown(ping(client)))?.code).toBe("disk_full");
  });

  test("asks for the version again after the engine was away: it may be another one", async () => {
    let version = "1.41";
    const { engine, client } = await connect({
      "/version": (_request, response) => json(response, { Version: "x", ApiVersion: version }),
      "/containers/json": (request, response) =>
        request.url?.startsWith("/v1.41") ? response.destroy() : json(response, []),
    });
    expect((await thrown(ping(client)))?.code).toBe("engine_down");
    version = "1.44";
    await ping(client);
    expect(engine.seen.at(-1)).toBe("/v1.44/containers/json");
  });
});

test("an address that is no address is refused with a hint", async () => {
  for (const address of ["ssh://box", "docker", "fd://"])
    expect((await thrown(openDockerClient(address, "box1", log)))?.code).toBe("bad_engine_address");
});

test("nobody listening is engine_down", async () => {
  const client = await openDockerClient("unix:///nonexistent/docker.sock", "box1", log);
  expect((await thrown(ping(client)))?.code).toBe("engine_down");
});

describe("listings", () => {
  test("an empty or broken answer is an empty list, not a Buffer", async () => {
    const { client } = await connect({
      "/containers/json": (_request, response) => response.end(""),
      "/networks": (_request, response) => response.end("[{"),
    });
    expect(await listInstances(client)).toEqual([]);
    expect(await subnets(client)).toEqual([]);
  });

  test("a container that vanishes between listing and inspection is left out", async () => {
    const { client } = await connect({
      "/containers/json": (_request, response) => json(response, [{ Id: "gone" }]),
    });
    expect(await listInstances(client)).toEqual([]);
  });

  test("only this box's containers are asked for", async () => {
    const { engine, client } = await connect({
      "/containers/json": (_request, response) => json(response, []),
    });
    await listInstances(client, { app: "blog" });
    const filters = JSON.parse(
      new URL(engine.seen.at(-1) ?? "", "http://x").searchParams.get("filters") ?? "{}",
    );
    expect(filters.label.sort()).toEqual(["diplo.app=blog", "diplo.box=box1"]);
  });
});

describe("runtimeEvents", () => {
  const line = (facts: object) => `${JSON.stringify(facts)}\n`;
  const die = {
    Action: "die",
    timeNano: 1_795_248_880_718_000_000,
    Actor: { ID: "c1", Attributes: { "diplo.app": "blog", image: "x", exitCode: "137" } },
  };

  test("reads events over the borders of chunks, then engine_down when the engine hangs up", async () => {
    const { client } = await connect({
      "/events": (_request, response) => {
        const text =
          line({ Action: "exec_create: sh" }) +
          line({ ...die, Action: "oom" }) +
          line(die) +
          line(die) +
          line({ ...die, Action: "health_status: healthy" });
        response.write(text.slice(0, 77));
        setTimeout(() => response.end(text.slice(77)), 20);
      },
    });
    const found: unknown[] = [];
    const reading = (async () => {
      for await (const event of runtimeEvents(client, new AbortController().signal)) found.push(event);
    })();
    expect((await thrown(reading))?.code).toBe("engine_down");
    const about = {
      container_id: "c1",
      labels: { "diplo.app": "blog" },
      at: 1_795_248_880_718,
      exit_code: 137,
    };
    expect(found).toEqual([
      { ...about, type: "oom", oom_killed: false },
      { ...about, type: "die", oom_killed: true },
      { ...about, type: "die", oom_killed: false },
      { ...about, type: "health", oom_killed: false },
    ]);
  });

  test("ends quietly when aborted", async () => {
    const { client } = await connect({ "/events": (_request, response) => void response.write(line(die)) });
    const leave = new AbortController();
    let count = 0;
    for await (const _ of runtimeEvents(client, leave.signal)) {
      count++;
      leave.abort();
    }
    expect(count).toBe(1);
  });
});
