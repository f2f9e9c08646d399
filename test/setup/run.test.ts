import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
let house: string;

const passing = 'import { test } from "bun:test";\ntest("fine", () => {});\n';
const failing =
  'import { test } from "bun:test";\ntest("broken", () => { throw new Error("no") });\ntest.skip("later", () => {});\n';
const vanishing = 'import { test } from "bun:test";\ntest("gone", () => process.exit(0));\n';

beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), "diplo-run-"));
  await mkdir(join(house, "test/setup"), { recursive: true });
  for (const name of ["run.sh", "bun.sh"])
    await cp(join(import.meta.dir, name), join(house, "test/setup", name));
  // Packages and the engine are not this test's concern.
  await writeFile(join(house, "test/setup/engine.sh"), "exit 0\n");
  for (const name of ["package.json", "bun.lock"]) await cp(join(root, name), join(house, name));
  await symlink(join(root, "node_modules"), join(house, "node_modules"));
});
afterAll(() => rm(house, { recursive: true }));

/** Runs run.sh over one folder of test files; answers the last line and the exit code. */
async function run(folder: string, files: Record<string, string>, ...args: string[]) {
  await mkdir(join(house, "test", folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(house, "test", folder, name), text);
  const child = Bun.spawnSync(["sh", "test/setup/run.sh", `test/${folder}`, ...args], {
    cwd: house,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: house },
  });
  return { last: child.stdout.toString().trimEnd().split("\n").at(-1), exitCode: child.exitCode };
}

test("run.sh counts what passed and ends well", async () => {
  expect(await run("good", { "a.test.ts": passing, "b.test.ts": passing })).toEqual({
    last: "2 passed, 0 failed",
    exitCode: 0,
  });
}, 30_000);

test("run.sh fails with a failing test and names skipped ones", async () => {
  expect(await run("bad", { "a.test.ts": passing, "b.test.ts": failing })).toEqual({
    last: "1 passed, 1 failed, 1 skipped",
    exitCode: 1,
  });
}, 30_000);

test("run.sh counts a run that ended early as a failure", async () => {
  expect(await run("early", { "a.test.ts": vanishing })).toMatchObject({
    last: expect.stringMatching(/, [12] failed$/),
    exitCode: 1,
  });
}, 30_000);

test("run.sh fails when no test ran", async () => {
  expect(await run("none", { "a.test.ts": passing }, "-t", "matches-nothing")).toEqual({
    last: "0 passed, 0 failed",
    exitCode: 1,
  });
}, 30_000);

test("run.sh refuses a path that is not there", async () => {
  expect((await run("typo", {}, "test/nowhere")).exitCode).toBe(2);
}, 30_000);
