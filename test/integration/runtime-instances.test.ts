import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { InstanceFacts, LogLine, RuntimeEvent } from "../../src/engine/runtime/container-runtime.ts";
import { codeOf, eventually, runtimeBox } from "./runtime-box.ts";

setDefaultTimeout(60_000);
const { runtime, boxId, labels, network, subnet, spec } = await runtimeBox();

const SERVE = "mkdir -p /tmp/www; echo hello >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www";
const docker = (...args: string[]) =>
  Bun.spawnSync(["/usr/bin/docker", ...args])
    .stdout.toString()
    .trim();
const ended = (name: string) =>
  eventually(
    () => runtime.inspect(name),
    (facts) => facts?.state === "exited",
  ) as Promise<InstanceFacts>;

async function output(name: string, options = {}): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of runtime.logs(name, options)) lines.push(line);
  return lines;
}

describe("start", () => {
  test("the instance answers at its recorded address; asking again changes nothing", async () => {
    const wanted = spec("web", SERVE);
    const facts = await runtime.start(wanted);
    expect(facts).toMatchObject({ state: "running", address: wanted.address, host_port: null, error: null });
    expect(facts.labels).toMatchObject({ "diplo.box": boxId, "diplo.app": "blog", "diplo.process": "web" });
    const { host, port } = runtime.endpoint(facts, 8080);
    const text = await eventually(
      () =>
        fetch(`http://${host}:${port}/`).then(
          (answer) => answer.text(),
          () => null,
        ),
      (answer) => answer !== null,
    );
    expect(text).toBe("hello\n");
    expect((await runtime.start(wanted)).container_id).toBe(facts.container_id);
  });

  test("two callers at once get the same container", async () => {
    const wanted = spec("race", "sleep 60");
    const [one, two] = await Promise.all([runtime.start(wanted), runtime.start(wanted)]);
    expect(one.container_id).toBe(two.container_id);
    expect(one.state).toBe("running");
  });

  test("goes on from a container that was created but never started", async () => {
    const wanted = spec("half", "sleep 60");
    const first = await runtime.start(wanted);
    await runtime.stop(wanted.name, 0);
    const again = await runtime.start(wanted);
    expect([again.container_id, again.state]).toEqual([first.container_id, "running"]);
  });

  test("a stopped container made from another specification is replaced", async () => {
    const wanted = spec("changed", "sleep 60");
    const first = await runtime.start(wanted);
    await runtime.stop(wanted.name, 0);
    const second = await runtime.start({ ...wanted, env: { A: "2" } });
    expect(second.container_id).not.toBe(first.container_id);
    expect(second.state).toBe("running");
  });

  test("limits, capabilities and confinement are what the container really has", async () => {
    const script =
      "grep -E 'CapEff|NoNewPrivs' /proc/self/status; touch /x 2>&1; touch /tmp/x && echo tmp-ok; id -u";
    const hardened = spec("hardened", script);
    await runtime.start(hardened);
    await ended(hardened.name);
    const text = (await output(hardened.name)).map((line) => line.text.replace(/\s+/g, " ")).join("\n");
    expect(text).toContain("CapEff: 0000000000000000");
    expect(text).toContain("NoNewPrivs: 1");
    expect(text).toContain("Read-only file system");
    expect(text).toContain("tmp-ok");
    const host = JSON.parse(docker("inspect", "-f", "{{json .HostConfig}}", hardened.name));
    expect(host).toMatchObject({
      Memory: 64 << 20,
      MemorySwap: 64 << 20,
      NanoCpus: 5e8,
      PidsLimit: 50,
      Privileged: false,
    });
    expect(host.LogConfig).toEqual({ Type: "local", Config: { "max-file": "3", "max-size": "10m" } });

    const foreign = spec("foreign", "touch /x && echo root-ok; grep CapEff /proc/self/status", {
      hardened: false,
    });
    await runtime.start(foreign);
    await ended(foreign.name);
    const loose = (await output(foreign.name)).map((line) => line.text.replace(/\s+/g, " "));
    expect(loose[0]).toBe("root-ok");
    const capabilities = Number.parseInt(loose[1]?.split(" ")[1] ?? "", 16);
    // NET_RAW 13, MKNOD 27, AUDIT_WRITE 29 are gone; CHOWN 0 and SETUID 7 are there.
    for (const [bit, there] of [
      [13, 0],
      [27, 0],
      [29, 0],
      [0, 1],
      [7, 1],
    ] as const)
      expect([bit, Math.floor(capabilities / 2 ** bit) % 2]).toEqual([bit, there]);
  });

  test("a program that takes more memory than it may is killed, and the facts say so", async () => {
    // awk keeps the string in memory until the limit ends it.
    const greedy = spec("greedy", `exec awk 'BEGIN { s = "x"; while (1) s = s s }'`, {
      limits: { memory_bytes: 16 << 20, cpus: null, pids: 50 },
    });
    await runtime.start(greedy);
    const facts = await ended(greedy.name);
    expect(facts).toMatchObject({ oom_killed: true, exit_code: 137 });
  });

  test("every value of the environment arrives byte for byte", async () => {
    const env = {
      PLAIN: "pa$$word",
      QUOTED: `'"\\ \`x\``,
      LINES: "a\n\nb\t",
      UTF8: "grüße 🚀",
      LARGE: "x".repeat(100_000),
    };
    const script = 'for v in "$PLAIN" "$QUOTED" "$LINES" "$UTF8" "$LARGE"; do printf %s "$v" | md5sum; done';
    const wanted = spec("values", script, { env });
    await runtime.start(wanted);
    await ended(wanted.name);
    const sums = Object.values(env).map((value) => new Bun.CryptoHasher("md5").update(value).digest("hex"));
    expect((await output(wanted.name)).map((line) => line.text.split(" ")[0] ?? "")).toEqual(sums);
  });

  test("explains an image or a command that is not there", async () => {
    const missing = spec("missing", "true", { image: `${boxId}/nosuch:1` });
    expect(await codeOf(runtime.start(missing))).toBe("image_not_found");
    // The engine's init starts, then fails to find the program: the shell's code for that, and its own words.
    const broken = spec("broken", "", { command: ["/nosuch/program"] });
    await runtime.start(broken);
    expect(await ended(broken.name)).toMatchObject({ exit_code: 127 });
    expect((await output(broken.name))[0]?.text).toContain("/nosuch/program");
  });

  test("a crash is restarted by the engine when so asked, and counted", async () => {
    const crashing = spec("crashing", "sleep 0.1; exit 3", { restart: "on-failure" });
    await runtime.start(crashing);
    const facts = await eventually(
      () => runtime.inspect(crashing.name),
      (found) => (found?.restart_count ?? 0) >= 2,
    );
    expect(facts?.labels["diplo.process"]).toBe("crashing");
    await runtime.remove(crashing.name);
  });
});

describe("stop, startAgain, remove", () => {
  test("SIGTERM is heard; the address stays the same after a start again", async () => {
    const polite = spec("polite", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    await runtime.start(polite);
    await eventually(
      () => output(polite.name),
      (lines) => lines.length > 0,
    );
    await runtime.stop(polite.name, 10);
    expect(await runtime.inspect(polite.name)).toMatchObject({
      state: "exited",
      exit_code: 0,
      address: polite.address,
    });
    const again = await runtime.startAgain(polite.name);
    expect(again).toMatchObject({ state: "running", address: polite.address });
    await runtime.remove(polite.name);
  });

  test("one that ignores SIGTERM is killed after the grace", async () => {
    const stubborn = spec("stubborn", "trap '' TERM; while :; do sleep 0.05; done");
    await runtime.start(stubborn);
    const began = performance.now();
    await runtime.stop(stubborn.name, 1);
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(await runtime.inspect(stubborn.name)).toMatchObject({ state: "exited", exit_code: 137 });
  });

  test("absent is fine, save for starting again", async () => {
    await runtime.stop(`${boxId}-nobody`, 1);
    await runtime.remove(`${boxId}-nobody`);
    expect(await runtime.inspect(`${boxId}-nobody`)).toBeNull();
    expect(await codeOf(runtime.startAgain(`${boxId}-nobody`))).toBe("instance_not_found");
  });

  test("named volumes outlive their container with what was written", async () => {
    const volume = `${boxId}-data`;
    await runtime.ensureVolume(volume, labels);
    const mounts = [{ volume, path: "/data", read_only: false }];
    const writer = spec("writer", "echo kept >/data/file", { mounts });
    await runtime.start(writer);
    await ended(writer.name);
    expect(await codeOf(runtime.removeVolume(volume))).toBe("volume_in_use");
    await runtime.remove(writer.name);
    const reader = spec("reader", "cat /data/file; touch /data/x", {
      mounts: [{ volume, path: "/data", read_only: true }],
    });
    await runtime.start(reader);
    await ended(reader.name);
    const lines = await output(reader.name);
    expect(lines.find((line) => line.stream === "stdout")?.text).toBe("kept");
    expect(lines.find((line) => line.stream === "stderr")?.text).toContain("Read-only");
  });
});

test("nothing of somebody else is listed, stopped, removed or taken over", async () => {
  const name = `${boxId}-stranger`;
  docker("run", "-d", "--name", name, "--label", "diplo.box=another", "busybox:1.36", "sleep", "60");
  docker("network", "create", `${name}-net`, "--subnet", "10.232.255.0/29");
  docker("volume", "create", `${name}-vol`);
  try {
    expect((await runtime.list()).some((facts) => facts.name === name)).toBe(false);
    for (const work of [
      () => runtime.stop(name, 0),
      () => runtime.remove(name),
      () => runtime.start({ ...spec("x", "true"), name }),
      () => runtime.removeNetwork(`${name}-net`),
      () => runtime.removeVolume(`${name}-vol`),
      () => runtime.ensureVolume(`${name}-vol`, labels),
      () => runtime.removeImage("busybox:1.36"),
    ])
      expect(await codeOf(work())).toBe("not_ours");
    expect(docker("inspect", "-f", "{{.State.Running}}", name)).toBe("true");
    expect(await runtime.subnets()).toContain("10.232.255.0/29");
  } finally {
    docker("rm", "-f", name);
    docker("network", "rm", `${name}-net`);
    docker("volume", "rm", `${name}-vol`);
  }
});

describe("networks", () => {
  test("ensureNetwork is idempotent, and refuses another subnet under the same name", async () => {
    await runtime.ensureNetwork({ name: network, subnet, labels });
    expect(await codeOf(runtime.ensureNetwork({ name: network, subnet: "10.231.255.0/26", labels }))).toBe(
      "network_differs",
    );
    expect(await codeOf(runtime.ensureNetwork({ name: `${boxId}-other`, subnet, labels }))).toBe(
      "subnet_taken",
    );
  });

  test("a network with instances is not removed; an address is not given twice", async () => {
    const first = spec("first", "sleep 60");
    await runtime.start(first);
    expect(await codeOf(runtime.removeNetwork(network))).toBe("network_in_use");
    expect(await codeOf(runtime.start({ ...spec("second", "sleep 60"), address: first.address }))).toBe(
      "address_taken",
    );
  });

  test("siblings find each other by alias", async () => {
    const db = spec("db", SERVE);
    await runtime.start(db);
    const client = spec(
      "client",
      "for i in 1 2 3 4 5 6 7 8 9; do wget -qO- http://db:8080/ && break; sleep 0.2; done",
    );
    await runtime.start(client);
    await ended(client.name);
    expect((await output(client.name)).map((line) => line.text)).toContain("hello");
  });
});

describe("logs", () => {
  test("both streams with stamps; tail and since choose; a long line is cut, UTF-8 whole", async () => {
    const script = `echo one; echo two >&2; i=0; while [ $i -lt 2000 ]; do printf 'grüße%05d€' $i; i=$((i+1)); done; echo; echo end`;
    const talker = spec("talker", script);
    await runtime.start(talker);
    await ended(talker.name);
    const all = await output(talker.name);
    expect(all.find((line) => line.stream === "stderr")?.text).toBe("two");
    const long = all.find((line) => line.text.startsWith("grüße00000€"));
    expect(long?.text.length).toBe(2000 * 11);
    expect(long?.text).not.toContain("\ufffd");
    expect(all.every((line) => /^\d{4}-.*\.\d{9}Z$/.test(line.at))).toBe(true);
    expect((await output(talker.name, { tail: 1 })).map((line) => line.text)).toEqual(["end"]);
    const last = all.at(-1) as LogLine;
    expect(await output(talker.name, { since: last.at })).toEqual([]);
    expect((await output(talker.name, { since: all[0]?.at })).length).toBe(all.length - 1);
  });

  test("follow yields lines as they come and leaves when told", async () => {
    const ticker = spec("ticker", "while :; do echo tick; sleep 0.05; done");
    await runtime.start(ticker);
    const leave = new AbortController();
    let count = 0;
    for await (const line of runtime.logs(ticker.name, { follow: true, signal: leave.signal })) {
      expect(line.text).toBe("tick");
      if (++count === 5) leave.abort();
      if (count > 200) throw new Error("abort was not heard");
    }
    expect(count).toBeGreaterThanOrEqual(5);
  });

  test("following ends with the container", async () => {
    const brief = spec("brief", "echo a; sleep 0.3; echo b");
    await runtime.start(brief);
    expect((await output(brief.name, { follow: true })).map((line) => line.text)).toEqual(["a", "b"]);
  });
});

test("listening tells loopback from every interface", async () => {
  const loopback = spec("loopback", "httpd -p 127.0.0.1:9090; exec httpd -f -p 8080");
  await runtime.start(loopback);
  const ports = await eventually(
    () => runtime.listening(loopback.name),
    (found) => found?.length === 2,
  );
  expect(ports).toEqual([
    { address: "::", port: 8080 },
    { address: "127.0.0.1", port: 9090 },
  ]);
  await runtime.stop(loopback.name, 0);
  expect(await runtime.listening(loopback.name)).toBeNull();
});

test("stats measure what the container uses", async () => {
  const busy = spec("busy", "while :; do :; done", {
    limits: { memory_bytes: 32 << 20, cpus: 0.5, pids: 50 },
  });
  await runtime.start(busy);
  const stats = await eventually(
    () => runtime.stats(busy.name),
    (found) => (found?.cpu_percent ?? 0) > 5,
  );
  expect(stats?.cpu_percent).toBeLessThan(120);
  expect(stats?.memory_bytes).toBeGreaterThan(0);
  expect(stats?.memory_limit_bytes).toBe(32 << 20);
  await runtime.remove(busy.name);
  expect(await runtime.stats(busy.name)).toBeNull();
});

test("events tell start and end of this box's instances only", async () => {
  const leave = new AbortController();
  const seen: RuntimeEvent[] = [];
  const reading = (async () => {
    for await (const event of runtime.events(leave.signal)) seen.push(event);
  })();
  const brief = spec("evented", "sleep 0.2; exit 4");
  // The subscription has no answer to wait for: start until it shows.
  const facts = await runtime.start(brief);
  await ended(brief.name);
  await runtime.startAgain(brief.name);
  await eventually(
    async () => seen,
    (events) => events.some((event) => event.type === "die"),
  );
  leave.abort();
  await reading;
  expect(seen.every((event) => event.labels["diplo.box"] === boxId)).toBe(true);
  const die = seen.find((event) => event.type === "die" && event.container_id === facts.container_id);
  expect(die).toMatchObject({ exit_code: 4, labels: { "diplo.process": "evented" } });
});

test("list filters by label", async () => {
  const all = await runtime.list();
  const web = await runtime.list({ process: "web" });
  expect(web.map((facts) => facts.name)).toEqual([`${boxId}-web`]);
  expect(all.length).toBeGreaterThan(web.length);
});

// The last one: it takes the network away from all the others.
test("a stopped instance starts again after its network was removed and made anew", async () => {
  const wanted = spec("pruned", SERVE);
  await runtime.start(wanted);
  await runtime.stop(wanted.name, 0);
  for (const { name } of await runtime.list()) if (name !== wanted.name) await runtime.remove(name);
  await runtime.removeNetwork(network);
  await runtime.ensureNetwork({ name: network, subnet, labels });
  expect(await runtime.start(wanted)).toMatchObject({ state: "running", address: wanted.address });
});
