import { afterAll } from "bun:test";
import { randomBytes } from "node:crypto";
import { freeAddress, freeSubnet, hostRoutes } from "../../src/engine/network/address-plan.ts";
import type { InstanceSpec } from "../../src/engine/runtime/container-runtime.ts";
import { connectDocker } from "../../src/engine/runtime/docker/docker-runtime.ts";
import { createLog } from "../../src/log.ts";

export const ADDRESS = process.env.DOCKER_HOST || "unix:///var/run/docker.sock";
/** Not the pool of a Diplo that may run on the same machine. */
const POOL = "10.231.0.0/16";

/** A runtime with a box id of its own on the real engine; everything it made is removed after the file's tests. */
export async function runtimeBox(address = ADDRESS) {
  const boxId = `test-${randomBytes(5).toString("hex")}`;
  const runtime = await connectDocker({ address, boxId, log: createLog("error") });
  const labels = { app: "blog", environment: "production", environment_id: "E1" };
  const network = `${boxId}-net`;
  const subnet = freeSubnet(POOL, [...(await runtime.subnets()), ...(await hostRoutes())]);
  await runtime.ensureNetwork({ name: network, subnet, labels });

  afterAll(async () => {
    for (const instance of await runtime.list()) await runtime.remove(instance.name);
    for (const volume of await runtime.listVolumes()) await runtime.removeVolume(volume.name);
    for (const other of await runtime.listNetworks()) await runtime.removeNetwork(other.name);
    for (const image of await runtime.listImages()) await runtime.removeImage(image.id).catch(() => {});
  }, 60_000);

  const used: { address: string; released_at: number | null }[] = [];
  /** A specification with a name and an address of its own. */
  const spec = (name: string, script: string, changes: Partial<InstanceSpec> = {}): InstanceSpec => {
    const address = freeAddress(subnet, used);
    used.push({ address, released_at: null });
    return {
      name: `${boxId}-${name}`,
      image: "busybox:1.36",
      labels: { ...labels, process: name },
      network,
      address,
      aliases: [name],
      port: 8080,
      command: ["sh", "-c", script],
      env: {},
      mounts: [],
      limits: { memory_bytes: 64 << 20, cpus: 0.5, pids: 50 },
      hardened: true,
      restart: "no",
      stop_grace_s: 1,
      ...changes,
    };
  };
  return { runtime, boxId, labels, network, subnet, spec };
}

/** Asks until the answer is right, or fails after the deadline with the last answer. */
export async function eventually<T>(
  ask: () => Promise<T>,
  right: (answer: T) => boolean,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    if (Date.now() > deadline)
      throw new Error(`still not so after ${timeoutMs} ms: ${JSON.stringify(answer)}`);
    await Bun.sleep(50);
  }
}

/** The code an operation fails with; null when it succeeds. */
export const codeOf = (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => null,
    (error) => error.code ?? error.name,
  );
