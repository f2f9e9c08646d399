import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { createConnection, createServer, type Socket } from "node:net";
import type { InstanceFacts } from "../../src/engine/runtime/container-runtime.ts";
import { ADDRESS, eventually, runtimeBox } from "./runtime-box.ts";

setDefaultTimeout(60_000);

/** The real engine behind a TCP port: what Diplo cannot tell from an engine on another machine. */
async function relay() {
  const open = new Set<Socket>();
  // Half-open, as the end of stdin is the end of one direction only.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = createConnection({ path: ADDRESS.replace("unix://", ""), allowHalfOpen: true });
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      open.add(from);
      from.on("error", () => to.destroy()).on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    for (const socket of open) socket.destroy();
    server.close();
  };
  return { address: `tcp://127.0.0.1:${(server.address() as { port: number }).port}`, stop };
}

const { address, stop } = await relay();
const { runtime, spec } = await runtimeBox(address);
// After the box's own cleaning, which needs the relay.
afterAll(stop);
const SERVE = "mkdir -p /tmp/www; echo hello >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www";

async function answer(facts: InstanceFacts): Promise<string | null> {
  const { host, port } = runtime.endpoint(facts, 8080);
  expect(host).toBe("127.0.0.1");
  return eventually(
    () =>
      fetch(`http://${host}:${port}/`).then(
        (found) => found.text(),
        () => null,
      ),
    (text) => text !== null,
  );
}

test("info says that the bridge is out of reach", async () => {
  const info = await runtime.info();
  expect(info.capabilities).not.toContain("bridge_address");
  expect(info.warnings.join()).toContain("loopback ports");
});

test("an instance is reached by one loopback port, which survives a restart", async () => {
  const wanted = spec("web", SERVE);
  const facts = await runtime.start(wanted);
  expect(facts.host_port).not.toBeNull();
  expect(await answer(facts)).toBe("hello\n");
  await runtime.stop(wanted.name, 0);
  const again = await runtime.startAgain(wanted.name);
  expect(again.host_port).toBe(facts.host_port);
  expect(await answer(again)).toBe("hello\n");
});

test("two instances of one port do not get into each other's way", async () => {
  const [one, two] = await Promise.all([runtime.start(spec("a", SERVE)), runtime.start(spec("b", SERVE))]);
  expect(one?.host_port).not.toBe(two?.host_port);
  expect([await answer(one as InstanceFacts), await answer(two as InstanceFacts)]).toEqual([
    "hello\n",
    "hello\n",
  ]);
});

test("listening is asked inside the container, for its process id means nothing here", async () => {
  const wanted = spec("ports", "httpd -p 127.0.0.1:9090; exec httpd -f -p 8080");
  await runtime.start(wanted);
  const ports = await eventually(
    () => runtime.listening(wanted.name),
    (found) => found?.length === 2,
  );
  expect(ports?.map((entry) => entry.port)).toEqual([8080, 9090]);
});

test("run and build work over TCP", async () => {
  const output: string[] = [];
  const request = {
    spec: { ...spec("run", "cat"), address: null },
    tty: false,
    stdin: new Blob(["through"]).stream(),
    onOutput: (chunk: Uint8Array) => void output.push(Buffer.from(chunk).toString()),
    deadline_ms: 30_000,
  };
  const never = new AbortController().signal;
  expect((await runtime.run(request, never)).exit_code).toBe(0);
  expect(output.join("")).toBe("through");
  const built = await runtime.build(
    {
      context: import.meta.dir,
      dockerfile: {
        text: "FROM busybox:1.36\nCOPY runtime-box.ts /\nRUN --mount=type=secret,id=S test -s /run/secrets/S\n",
      },
      tag: `${spec("x", "").name}:1`,
      labels: {},
      args: {},
      target: null,
      secrets: { S: "value" },
      registries: [],
      no_cache: true,
      deadline_ms: 30_000,
    },
    () => {},
    never,
  );
  expect(built.image_id).toStartWith("sha256:");
});
