import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { answering, exchange, RawBackend, RawClient, routeTo, TestPlane } from "./harness.ts";

const COMMAND = [process.execPath, join(import.meta.dir, "worker-entry.ts")];
const saying = (text: string, more = "") =>
  answering(`HTTP/1.1 200 OK\r\n${more}Content-Length: ${text.length}\r\n\r\n${text}`);

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function plane(options: Parameters<typeof TestPlane.start>[0] = {}): Promise<TestPlane> {
  const started = await TestPlane.start(options);
  stops.push(() => started.stop());
  return started;
}

function backend(text: string, more = ""): RawBackend {
  const started = new RawBackend(saying(text, more));
  stops.push(() => started.stop());
  return started;
}

const ask = (port: number, cookie = "", host = "blog.test") =>
  exchange(
    port,
    `GET / HTTP/1.1\r\nHost: ${host}\r\n${cookie === "" ? "" : `Cookie: ${cookie}\r\n`}Connection: close\r\n\r\n`,
  );
const cookieOf = (answer: string) => /\r\nSet-Cookie: ([^;]+)/.exec(answer)?.[1] ?? "";
const targetsOf = (backends: Record<string, RawBackend>) =>
  Object.entries(backends).map(([instance, { port }]) => ({ instance, port }));

describe("a sticky route", () => {
  test("keeps a client at the instance that answered it first, and tells it once", async () => {
    const proxy = await plane();
    const backends = { a: backend("a"), b: backend("b"), c: backend("c") };
    await proxy.route([routeTo([], { sticky: true, targets: targetsOf(backends) })]);
    const first = await ask(proxy.port);
    const cookie = cookieOf(first);
    expect(first).toMatch(
      /\r\nSet-Cookie: diplo_sticky_[0-9a-f]{12}=[A-Za-z0-9_-]{20}; Path=\/; HttpOnly; SameSite=Lax\r\n/,
    );
    for (let i = 0; i < 12; i++) {
      const again = await ask(proxy.port, `theme=dark; ${cookie}; x=1`);
      expect(again.at(-1)).toBe(first.at(-1)!);
      expect(again).not.toContain("Set-Cookie");
    }
    // Clients without it are still spread.
    const others = new Set(
      (await Promise.all(Array.from({ length: 6 }, () => ask(proxy.port)))).map((a) => a.at(-1)),
    );
    expect(others.size).toBe(3);
  });

  test("hides its cookie from the app, whoever set it, and the app may not set one", async () => {
    const proxy = await plane();
    const app = backend("a", "Set-Cookie: diplo_sticky_000000000000=forged\r\nSet-Cookie: own=1\r\n");
    await proxy.route([routeTo([], { sticky: true, targets: [{ instance: "a", port: app.port }] })]);
    const answer = await ask(proxy.port, "diplo_sticky_ffffffffffff=other-app; theme=dark");
    expect(app.received).toContain("Cookie: theme=dark\r\n");
    expect(app.received).not.toContain("diplo_sticky");
    expect(answer).toContain("Set-Cookie: own=1\r\n");
    expect(answer).not.toContain("forged");
  });

  test("says nothing of the instance, and takes no instance's name for its alias", async () => {
    const proxy = await plane();
    const backends = { "secret-name-1": backend("1"), "secret-name-2": backend("2") };
    await proxy.route([routeTo([], { sticky: true, targets: targetsOf(backends) })]);
    const answer = await ask(proxy.port);
    expect(answer).not.toContain("secret-name");
    const name = cookieOf(answer).split("=")[0]!;
    for (const forged of [
      "secret-name-1",
      Buffer.from("secret-name-1").toString("base64url"),
      "",
      "=",
      "%00",
    ])
      expect(cookieOf(await ask(proxy.port, `${name}=${forged}`))).toStartWith(`${name}=`);
  });

  test("gives a client another instance when its own left or fails, and keeps it there", async () => {
    const proxy = await plane();
    const backends = { a: backend("a"), b: backend("b"), c: backend("c") };
    await proxy.route([routeTo([], { sticky: true, targets: targetsOf(backends) })]);
    const first = await ask(proxy.port);
    const home = first.at(-1) as "a" | "b" | "c";
    const rest = targetsOf(backends).filter(({ instance }) => instance !== home);
    await proxy.route([routeTo([], { sticky: true, targets: rest })]);
    const second = await ask(proxy.port, cookieOf(first));
    expect(second.at(-1)).not.toBe(home);
    expect(cookieOf(second)).not.toBe("");
    await proxy.route([routeTo([], { sticky: true, targets: targetsOf(backends) })]);
    for (let i = 0; i < 6; i++) expect((await ask(proxy.port, cookieOf(second))).at(-1)).toBe(second.at(-1)!);
    // Nothing listens at the instance any more: the request goes through all the same.
    backends[second.at(-1) as "a" | "b" | "c"].stop();
    const third = await ask(proxy.port, cookieOf(second));
    expect(third).toStartWith("HTTP/1.1 200");
    expect(cookieOf(third)).not.toBe("");
  });

  test("gives each process of an environment a cookie of its own, as ports of one host share them", async () => {
    const proxy = await plane();
    const one = routeTo([], { id: "e1/web", sticky: true, targets: targetsOf({ a: backend("a") }) });
    const two = routeTo([], {
      id: "e2/web",
      app: "shop",
      hosts: ["shop.test"],
      sticky: true,
      targets: targetsOf({ b: backend("b") }),
    });
    await proxy.route([one, two]);
    const [first, second] = [await ask(proxy.port), await ask(proxy.port, "", "shop.test")];
    expect(cookieOf(first).split("=")[0]).not.toBe(cookieOf(second).split("=")[0]!);
    const both = `${cookieOf(first)}; ${cookieOf(second)}`;
    expect(await ask(proxy.port, both)).not.toContain("Set-Cookie");
    expect(await ask(proxy.port, both, "shop.test")).not.toContain("Set-Cookie");
  });

  test("means the same instance in every worker, and after a restart", async () => {
    const proxy = await plane({ workers: { count: 2, command: COMMAND } });
    const backends = { a: backend("a"), b: backend("b"), c: backend("c") };
    const table = () => proxy.route([routeTo([], { sticky: true, targets: targetsOf(backends) })]);
    await table();
    const first = await ask(proxy.port);
    const same = async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(proxy.port, cookieOf(first))));
      expect(new Set(answers.map((answer) => answer.at(-1)))).toEqual(new Set([first.at(-1)]));
    };
    await same();
    await proxy.plane.restartWorkers();
    await same();
  }, 20_000);

  test("tells a client that upgrades, too", async () => {
    const proxy = await plane();
    const app = new RawBackend(
      answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"),
    );
    stops.push(() => app.stop());
    await proxy.route([routeTo([], { sticky: true, targets: [{ instance: "a", port: app.port }] })]);
    const client = await RawClient.connect(proxy.port);
    client.send("GET / HTTP/1.1\r\nHost: blog.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    expect(await client.until("\r\n\r\n")).toContain("Set-Cookie: diplo_sticky_");
    client.close();
  });
});

test("a route without sticky sets no cookie and passes what it does not own", async () => {
  const proxy = await plane();
  const app = backend("a");
  await proxy.route([routeTo(app.port)]);
  expect(await ask(proxy.port, "diplo_sticky_x=1")).not.toContain("Set-Cookie");
});
