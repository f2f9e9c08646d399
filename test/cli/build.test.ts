import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/main.ts");
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "diplo-eject-"));
  await writeFile(join(directory, "package.json"), '{"scripts": {"start": "node a.js"}}');
}, 60_000);
afterEach(() => rm(directory, { recursive: true, force: true }));

async function diplo(...args: string[]) {
  const child = Bun.spawn([process.execPath, MAIN, "build", ...args], {
    cwd: directory,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { out, err, code: await child.exited };
}

test("diplo build --eject writes a Dockerfile, and another one only with --force", async () => {
  const first = await diplo("--eject");
  expect(first).toMatchObject({ code: 0, err: "" });
  expect(first.out).toContain("wrote Dockerfile\n");
  const made = await readFile(join(directory, "Dockerfile"), "utf8");
  expect(made).toContain('CMD ["node","a.js"]');
  await writeFile(join(directory, "Dockerfile"), "FROM mine\n");
  const refused = await diplo("--eject");
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("there is a Dockerfile already");
  expect(await readFile(join(directory, "Dockerfile"), "utf8")).toBe("FROM mine\n");
  expect((await diplo("--eject", "--force")).out).toContain("replaced Dockerfile\n");
  expect(await readFile(join(directory, "Dockerfile"), "utf8")).toBe(made);
}, 60_000);

test("diplo build wants to know what for, and writes nothing for --plan", async () => {
  expect((await diplo()).err).toContain("wants --plan or --eject");
  expect((await diplo("--plan", "--eject")).code).toBe(2);
  expect((await diplo("--plan", "--subdirectory", "../..")).code).toBe(2);
  expect((await diplo("--plan", ".")).out).toContain("provider");
  expect(await readdir(directory)).toEqual(["package.json"]);
}, 60_000);
