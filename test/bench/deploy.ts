import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-ports.ts";
import { serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";
import { HEAD, median, row, timed } from "./figures.ts";

/** A code-only redeploy and a rollback, beside the same by hand, in alternating rounds. Goals: ≤150 ms and ≤100 ms more. */
const ROUNDS = Number(process.argv[2] ?? 7);
const NAME = `diplo-bench-${process.pid}`;
const DOCKERFILE = `FROM node:22-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev
COPY . .
CMD ["node", "server.js"]
`;

const fixture = join(import.meta.dir, "../fixtures/node-express");
const read = (name: string) => Bun.file(join(fixture, name)).text();
const docker = process.env.DOCKER_CLIENT ?? "/usr/bin/docker";
const scratch = await mkdtemp(join(tmpdir(), "diplo-bench-"));
const git = await serveRepositories();
const box = await Box.start({ executable: join(import.meta.dir, "../../dist/diplo") });
let change = 0;

try {
  await commit();
  const { port } = await box.deploy({ repo_url: git.url("bench"), name: "bench" });
  await byHand();
  const figures = {
    redeploy: [] as number[],
    hand: [] as number[],
    rollback: [] as number[],
    run: [] as number[],
  };
  for (let round = 0; round < ROUNDS; round++) {
    await commit();
    figures.hand.push(await timed(byHand));
    await commit();
    figures.redeploy.push(await timed(() => ask("POST", "/apps/bench/deployments", port)));
    await box.settled();
    figures.run.push(await timed(runByHand));
    figures.rollback.push(await timed(() => ask("POST", "/apps/bench/rollback", port)));
    await box.settled();
  }
  console.log(HEAD);
  console.log(row("git clone, docker build, run, first 200", figures.hand, "ms"));
  console.log(row("diplo: code-only redeploy, first 200", figures.redeploy, "ms"));
  console.log(row("docker run, first 200", figures.run, "ms"));
  console.log(row("diplo: rollback, first 200", figures.rollback, "ms"));
  const more = (a: number[], b: number[]) => Math.round(median(a) - median(b));
  console.log(`redeploy: ${more(figures.redeploy, figures.hand)} ms more than by hand (goal 150)`);
  console.log(`rollback: ${more(figures.rollback, figures.run)} ms more than by hand (goal 100)`);
} finally {
  await box[Symbol.asyncDispose]();
  await git.stop();
  await run([docker, "rm", "-f", NAME]).catch(() => {});
  await run([docker, "rmi", "-f", NAME]).catch(() => {});
  await rm(scratch, { recursive: true, force: true });
}

async function commit(): Promise<void> {
  change++;
  const server = (await read("server.js")).replace("hello", `hello ${change}`);
  const files = {
    Dockerfile: DOCKERFILE,
    "server.js": server,
    "package.json": await read("package.json"),
    "package-lock.json": await read("package-lock.json"),
  };
  await git.commit("bench", files, `change ${change}`);
}

async function ask(method: string, path: string, port: number): Promise<void> {
  const { status, body } = await box.api(method, path, {});
  if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  if ((await box.app(port)).status !== 200) throw new Error("no 200");
}

async function byHand(): Promise<void> {
  const tree = join(scratch, String(change));
  await rm(tree, { recursive: true, force: true });
  await run(["git", "clone", "--quiet", "--depth", "1", git.url("bench"), tree]);
  await run([docker, "build", "--quiet", "--tag", NAME, tree]);
  await runByHand();
}

async function runByHand(): Promise<void> {
  await run([docker, "rm", "-f", NAME]).catch(() => {});
  const port = freePort();
  await run([
    docker,
    "run",
    "--detach",
    "--init",
    "--name",
    NAME,
    "--env",
    "PORT=8080",
    "--publish",
    `127.0.0.1:${port}:8080`,
    NAME,
  ]);
  for (;;) {
    const status = await fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await Bun.sleep(5);
  }
}

async function run(argv: string[]): Promise<void> {
  const child = Bun.spawn(argv, {
    stdout: "ignore",
    stderr: "pipe",
    env: { ...process.env, DOCKER_BUILDKIT: "1" },
  });
  if ((await child.exited) !== 0)
    throw new Error(`${argv.join(" ")}: ${await new Response(child.stderr).text()}`);
}
