import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

const page = (text: string, ballast = 0) => ({
  Dockerfile: `FROM busybox:1.36\nCOPY index.html /www/index.html\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
  "index.html": text,
  // Does not compress.
  ballast: Array.from({ length: ballast / 10 }, () => Math.random().toString(36).slice(2, 12)).join(""),
});

let disk: string;
let box: Box;
let git: GitServer;
let port: number;

// A disk of its own, small enough to fill. Mounting needs root; the tests that need the engine mostly run as root.
const root = process.getuid?.() === 0;

beforeAll(async () => {
  if (!root) return;
  disk = await mkdtemp(join(tmpdir(), "dfull-"));
  expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk]).success).toBe(true);
  git = await serveRepositories();
  await git.commit("app", page("one"));
  const data = join(disk, "d");
  await mkdir(data);
  box = await Box.start({ data });
  ({ port } = await box.deploy({ repo_url: git.url("app"), name: "app" }));
}, 60_000);

afterAll(async () => {
  if (!root) return;
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
  Bun.spawnSync(["umount", disk]);
  await rm(disk, { recursive: true, force: true });
}, 60_000);

async function fill(leaveBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(disk);
  await writeFile(join(disk, "filler"), Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)));
}

for (const [what, leaveBytes] of [
  ["its database", 0],
  ["a source", 2 * 1024 * 1024],
] as const)
  test.skipIf(!root)(
    `a box without room for ${what} says disk_full, serves on, and deploys again with room`,
    async () => {
      await git.commit("app", page(`before ${what}`, 6 * 1024 * 1024));
      await fill(leaveBytes);
      const { status, body } = await box.api<{ code: string; detail: string }>(
        "POST",
        "/apps/app/deployments",
        {},
      );
      expect({ status: status >= 400, code: body.code }).toEqual({ status: true, code: "disk_full" });
      expect((await box.app(port)).status).toBe(200);
      expect((await box.api("GET", "/apps")).status).toBe(200);
      await rm(join(disk, "filler"));
      await git.commit("app", page(`after ${what}`));
      const again = await box.api("POST", "/apps/app/deployments", {});
      expect({ status: again.status, body: again.body }).toMatchObject({ status: 201 });
      expect(await (await box.app(port)).text()).toBe(`after ${what}`);
    },
    120_000,
  );
