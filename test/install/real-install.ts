import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Machine, until } from "./machine.ts";
import { type Mirror, publish, serveMirror } from "./mirror.ts";

// One machine's life, in order: each test begins where the one before ended.

const root = join(import.meta.dir, "../..");
const asset = `diplo-linux-${process.arch}`;
const machine = new Machine(
  process.env.DIPLO_TEST_MACHINE ?? `diplo-test-install-${process.pid}`,
  "diplo-test/systemd:bookworm",
);
let scratch: string;
let mirror: Mirror | undefined;

const install = (folder: string, ...args: string[]) =>
  machine.run(
    `curl -fsSL ${mirror?.url(folder)}/install.sh | DIPLO_BASE_URL=${mirror?.url(folder)} sh -s -- ${args.join(" ")}`,
  );
const mainPid = async (unit: string) =>
  (await machine.must(`systemctl show -p MainPID --value ${unit}`)).trim();
const active = async (unit: string) =>
  (await machine.run(`systemctl is-active ${unit}`)).stdout.trim() === "active";
const appPort = async () => JSON.parse(await machine.must("diplo apps:info hello --json")).port as number;
/** Everything that an installation could leave behind, one thing a line. */
const traces = () =>
  machine.must(`
    find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp -o -path /srv -o -path /var/log \\
      -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/docker -o -path /var/lib/containerd \\
      -o -path /var/lib/systemd -o -name '*-' -path '/etc/*' \\) -prune -o -print | sort
    getent passwd | cut -d: -f1; getent group
    systemctl list-unit-files --no-legend 'diplo*' | cat
  `);
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "diplo-mirror-"));
  const build = Bun.spawnSync([process.execPath, "src/compile.ts", "--all", "--out", join(scratch, "dist")], {
    cwd: root,
  });
  expect(build.exitCode, build.stderr.toString()).toBe(0);
  const installer = join(root, "install.sh");
  const good = join(scratch, "dist", asset);
  const broken = new TextEncoder().encode('#!/bin/sh\n[ "$1" = version ] && echo 0.0.1\n');
  await publish(join(scratch, "good"), { executable: good, installer, name: asset });
  await publish(join(scratch, "damaged"), { executable: good, installer, name: asset, sum: "0".repeat(64) });
  await publish(join(scratch, "broken"), { executable: broken, installer, name: asset });
  await machine.start();
  mirror = serveMirror(scratch, await machine.gateway());
}, 300_000);

afterAll(async () => {
  await machine[Symbol.asyncDispose]();
  mirror?.[Symbol.dispose]();
  await rm(scratch, { recursive: true, force: true });
});

let before: string;

test("a damaged download is refused before anything is touched", async () => {
  before = await traces();
  const { stderr, exitCode } = await install("damaged", "--yes");
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("damaged");
  expect(await traces()).toBe(before);
});

test("without a terminal and without --yes nothing is installed", async () => {
  const { stderr, exitCode } = await install("good");
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("--yes");
  expect(await traces()).toBe(before);
});

test("a failure late in the installation leaves the machine as it was", async () => {
  const { stderr, exitCode } = await install("broken", "--yes");
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("putting everything back");
  expect((await machine.run("command -v dockerd")).exitCode).not.toBe(0);
  expect(await traces()).toBe(before);
});

test("curl | sh installs Diplo beside an engine and prints a sign-in link", async () => {
  await machine.must(
    "apt-get update -q && apt-get install -q -y --no-install-recommends docker.io git openssh-client iptables",
  );
  before = await traces();
  expect(await install("good", "--yes")).toMatchObject({
    stderr: "",
    exitCode: 0,
    stdout: expect.stringMatching(/http:\/\/\d+\.\d+\.\d+\.\d+:8080\/\S+/),
  });
  for (const unit of ["diplo", "diplo-proxy"]) expect(await active(unit)).toBe(true);
  expect(await machine.must("systemd-analyze verify diplo.service diplo-proxy.service 2>&1")).toBe("");
});

test("each process is its own user, and files are as tight as they can be", async () => {
  for (const unit of ["diplo", "diplo-proxy"])
    expect(await machine.must(`stat -c %U /proc/${await mainPid(unit)}`)).toBe(`${unit}\n`);
  const modes = await machine.must(
    "cd /var/lib/diplo; stat -c '%n %a %U:%G' . proxy proxy/sites proxy/proxy.sock proxy-events.sock control.sock diplo.db master.key",
  );
  expect(modes.trim().split("\n")).toEqual([
    ". 711 diplo:diplo",
    "proxy 750 diplo-proxy:diplo-proxy",
    "proxy/sites 2750 diplo:diplo-proxy",
    "proxy/proxy.sock 660 diplo-proxy:diplo-proxy",
    "proxy-events.sock 660 diplo:diplo-proxy",
    "control.sock 660 diplo:diplo",
    "diplo.db 600 diplo:diplo",
    "master.key 600 diplo:diplo",
  ]);
});

test.each([
  "cat /var/lib/diplo/master.key",
  "cat /var/lib/diplo/diplo.db",
  "ls /var/lib/diplo",
  "curl -sS --unix-socket /var/lib/diplo/control.sock http://box/",
  "curl -sS --unix-socket /run/docker.sock http://box/_ping",
])("the data plane's user may not: %s", async (line) => {
  const asProxy = "setpriv --reuid diplo-proxy --regid diplo-proxy --init-groups";
  expect((await machine.run(`${asProxy} ${line}`)).exitCode).not.toBe(0);
});

test("an app deployed from a git repository answers by port and by host name", async () => {
  await machine.give("busybox:1.36");
  await machine.must(`
    git init -q -b main /srv/hello && cd /srv/hello
    echo hello-from-the-box >index.html
    printf 'FROM busybox:1.36\\nCOPY index.html /www/\\nCMD httpd -f -p $PORT -h /www\\n' >Dockerfile
    git add . && git -c user.name=t -c user.email=t@localhost commit -q -m one
  `);
  await machine.must("diplo deploy file:///srv/hello --name hello");
  expect(await page(await appPort())).toContain("hello-from-the-box");
  expect(await page(80, "hello.local")).toContain("hello-from-the-box");
});

test("a static site is written by the control plane and served by the data plane", async () => {
  await machine.must(`
    git init -q -b main /srv/site && cd /srv/site
    seq 1000 >index.html
    git add . && git -c user.name=t -c user.email=t@localhost commit -q -m one
  `);
  await machine.must("diplo deploy file:///srv/site --name site");
  expect(await page(80, "site.local")).toContain("999");
  const modes = await machine.must(
    "stat -c '%a %U:%G' /var/lib/diplo/proxy/sites/* /var/lib/diplo/proxy/sites/*/* | sort -u",
  );
  expect(modes.trim().split("\n")).toEqual(["640 diplo:diplo-proxy", "750 diplo:diplo-proxy"]);
  const asProxy = "setpriv --reuid diplo-proxy --regid diplo-proxy --init-groups";
  expect(
    (await machine.run(`${asProxy} sh -c 'echo x >>/var/lib/diplo/proxy/sites/*/manifest.json'`)).exitCode,
  ).not.toBe(0);
  await machine.must("diplo apps:destroy site --confirm site");
});

test("systemd heals a killed control plane, and no request is lost", async () => {
  const url = `http://127.0.0.1:${await appPort()}/`;
  const load = machine.background(`
    good=0; bad=0
    while [ ! -e /tmp/enough ]; do
      if curl -fsS -m 5 -o /dev/null ${url}; then good=$((good+1)); else bad=$((bad+1)); fi
    done
    echo $good $bad
  `);
  const killed = await mainPid("diplo");
  await machine.must(`kill -9 ${killed}`);
  await until(
    30_000,
    "diplo is back",
    async () => (await active("diplo")) && (await mainPid("diplo")) !== killed,
  );
  await machine.must("diplo apps --json && touch /tmp/enough");
  const [good = 0, bad = 0] = (await new Response(load.stdout).text()).split(" ").map(Number);
  expect(good).toBeGreaterThan(10);
  expect(bad).toBe(0);
});

test("systemd heals a killed data plane", async () => {
  const port = await appPort();
  const killed = await mainPid("diplo-proxy");
  await machine.must(`kill -9 ${killed}`);
  await answers(10_000, port);
  expect(await mainPid("diplo-proxy")).not.toBe(killed);
});

test("installed again, it changes nothing and interrupts nothing", async () => {
  const pids = async () => [await mainPid("diplo"), await mainPid("diplo-proxy")];
  const then = await pids();
  expect(await install("good", "--yes")).toMatchObject({ stderr: "", exitCode: 0 });
  expect(await pids()).toEqual(then);
});

test("an update that fails leaves the old version running", async () => {
  const { stderr, exitCode } = await install("broken", "--yes");
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("putting everything back");
  expect(await active("diplo")).toBe(true);
  await answers(10_000, await appPort());
});

test("after a restart of the machine the app is back", async () => {
  const port = await appPort();
  await machine.restart();
  await answers(60_000, port);
});

test("--uninstall keeps the data, and installing again brings the app back", async () => {
  const port = await appPort();
  expect(await install("good", "--uninstall")).toMatchObject({ stderr: "", exitCode: 0 });
  expect(await machine.must("stat -c '%a %U' /var/lib/diplo")).toBe("700 root\n");
  expect(await machine.must("docker ps -aq")).toBe("");
  expect((await install("good", "--yes")).exitCode).toBe(0);
  await answers(90_000, port);
});

test("--uninstall --purge leaves no file, unit, user, container or network", async () => {
  expect(await install("good", "--uninstall", "--purge", "--yes")).toMatchObject({ stderr: "", exitCode: 0 });
  expect(
    await machine.must("docker ps -aq; docker network ls -q --filter type=custom; docker volume ls -q"),
  ).toBe("");
  expect(await traces()).toBe(before);
});

async function page(port: number, host = "127.0.0.1"): Promise<string> {
  return (await machine.run(`curl -fsS -m 3 -H 'Host: ${host}' http://127.0.0.1:${port}/`)).stdout;
}

const answers = (deadlineMs: number, port: number) =>
  until(deadlineMs, "the app answers", async () => (await page(port)).includes("hello-from-the-box"));
