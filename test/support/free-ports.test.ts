import { expect, test } from "bun:test";
import { freePort, freePorts } from "./free-ports.ts";

test("freePort's port refuses connections until somebody listens there", async () => {
  const port = freePort();
  const connect = () => Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
  await expect(connect()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  const server = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
  (await connect()).end();
  server.stop(true);
});

test("freePort's port is nobody else's while nobody listens there", async () => {
  const port = freePort();
  const other = `import { reserve } from ${JSON.stringify(require.resolve("./free-ports.ts"))};
    process.exit(reserve([${port}]) ? 1 : 0)`;
  expect(await Bun.spawn([process.execPath, "-e", other]).exited).toBe(0);
});

test("freePorts are consecutive, and given once", () => {
  const [one, other] = [freePorts(3), freePorts(3)];
  for (const ports of [one, other]) expect(ports).toEqual([0, 1, 2].map((i) => (ports[0] as number) + i));
  expect(new Set([...one, ...other]).size).toBe(6);
});
