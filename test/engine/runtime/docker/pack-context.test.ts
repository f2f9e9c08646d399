import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packContext } from "../../../../src/engine/runtime/docker/pack-context.ts";

let root: string;
const LONG = `${"deep/".repeat(30)}${"n".repeat(120)}.txt`;

function write(path: string, text = path): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "pack-"));
  for (const path of [
    "Dockerfile",
    "a.txt",
    "a/z.js",
    "node_modules/x/i.js",
    "build.log",
    "keep/this.log",
    LONG,
    "grüße.txt",
  ])
    write(path);
  write("run.sh", "#!/bin/sh\n");
  chmodSync(join(root, "run.sh"), 0o755);
  symlinkSync("a.txt", join(root, "link"));
  symlinkSync("/etc", join(root, "outside"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** What the system's own tar makes of it: a second opinion on every header. */
async function listed(dockerfile: string | null, inject: { path: string; text: string }[] = []) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of packContext(root, { dockerfile, inject })) chunks.push(chunk);
  const file = join(root, "..", `${crypto.randomUUID()}.tar`);
  await Bun.write(file, Buffer.concat(chunks));
  const tar = (args: string[]) =>
    Bun.spawnSync(["tar", ...args, "-f", file], { env: { LC_ALL: "C.UTF-8", PATH: process.env.PATH } });
  const verbose = tar(["-tv", "--numeric-owner", "--quoting-style=literal"])
    .stdout.toString()
    .trimEnd()
    .split("\n");
  const names = tar(["-t", "--quoting-style=literal"]).stdout.toString().trimEnd().split("\n");
  const content = (name: string) => tar(["-xO", name]).stdout.toString();
  const result = { names, verbose, body: content(LONG), injected: content(".diplo.Dockerfile") };
  rmSync(file);
  return result;
}

describe("packContext", () => {
  test("archives files, modes, long and non-ASCII names; root owns all", async () => {
    const { names, verbose, body } = await listed(null);
    expect(names).toContain(LONG);
    expect(names).toContain("grüße.txt");
    expect(body).toBe(LONG);
    expect(verbose.find((line) => line.endsWith("run.sh"))).toMatch(/^-rwxr-xr-x 0\/0/);
    expect(verbose.every((line) => / 0\/0 /.test(line))).toBe(true);
  });

  test("keeps links as links and never follows them out of the context", async () => {
    const { names, verbose } = await listed(null);
    expect(verbose.find((line) => line.includes("link ->"))).toEndWith("link -> a.txt");
    expect(verbose.find((line) => line.includes("outside ->"))).toEndWith("outside -> /etc");
    expect(names.some((name) => name.startsWith("outside/"))).toBe(false);
  });

  test("honours .dockerignore with exceptions, and sends the Dockerfile even so", async () => {
    writeFileSync(
      join(root, ".dockerignore"),
      "# comment\nnode_modules\n**/*.log\n!keep/this.log\nDockerfile\ndeep\n",
    );
    const { names } = await listed("Dockerfile");
    rmSync(join(root, ".dockerignore"));
    expect(names).toContain("keep/this.log");
    expect(names).toContain("Dockerfile");
    for (const gone of ["build.log", "node_modules/", "node_modules/x/i.js", LONG])
      expect(names).not.toContain(gone);
  });

  test("a Dockerfile's own ignore file takes the place of the common one", async () => {
    writeFileSync(join(root, ".dockerignore"), "a.txt\n");
    writeFileSync(join(root, "Dockerfile.dockerignore"), "build.log\n");
    const { names } = await listed("Dockerfile");
    rmSync(join(root, ".dockerignore"));
    rmSync(join(root, "Dockerfile.dockerignore"));
    expect(names).toContain("a.txt");
    expect(names).not.toContain("build.log");
  });

  test("injects a generated file without writing it to the tree", async () => {
    const { injected } = await listed(null, [{ path: ".diplo.Dockerfile", text: "FROM x\n" }]);
    expect(injected).toBe("FROM x\n");
    expect(await Bun.file(join(root, ".diplo.Dockerfile")).exists()).toBe(false);
  });

  test("a parent comes before its children, in the order of bytes", async () => {
    const { names } = await listed(null);
    expect(names.indexOf("a/")).toBeLessThan(names.indexOf("a/z.js"));
    expect(names.indexOf("a/z.js")).toBeLessThan(names.indexOf("a.txt"));
  });

  test("memory stays flat for a large file", async () => {
    const large = join(root, "large.bin");
    await Bun.write(large, new Uint8Array(1));
    await import("node:fs/promises").then((fs) => fs.truncate(large, 400 * 1024 * 1024));
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    let bytes = 0;
    for await (const chunk of packContext(root, { dockerfile: null, inject: [] })) bytes += chunk.length;
    rmSync(large);
    expect(bytes).toBeGreaterThan(400 * 1024 * 1024);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 * 1024);
  });
});
