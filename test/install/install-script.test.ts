import { afterAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");
const script = join(root, "install.sh");
const scratch = await mkdtemp(join(tmpdir(), "diplo-install-"));
afterAll(() => rm(scratch, { recursive: true }));

function sh(args: string[], options: { path?: string; stdin?: Blob } = {}) {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["sh", ...args], {
    cwd: scratch,
    env: {
      PATH: `${options.path ? `${options.path}:` : ""}/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
      HOME: scratch,
    },
    stdin: options.stdin ?? null,
  });
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
}

/** A directory whose commands answer instead of the machine's own. */
async function pretend(commands: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(scratch, "bin-"));
  for (const [name, body] of Object.entries(commands)) {
    await writeFile(join(directory, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(directory, name), 0o755);
  }
  return directory;
}

describe("install.sh", () => {
  test("explains itself with --help and exits 0", () => {
    const { stdout, exitCode } = sh([script, "--help"]);
    expect(exitCode).toBe(0);
    for (const word of ["--yes", "--try", "--uninstall", "--purge", "DIPLO_BASE_URL"])
      expect(stdout).toContain(word);
  });

  test.each([[["--nonsense"]], [["--purge"]], [["--try", "--purge"]], [["deploy"]]])(
    "refuses %p with the usage and exit code 2",
    (args) => {
      const { stderr, exitCode } = sh([script, ...args]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("Usage: install.sh");
    },
  );

  test("wants root, in one line", async () => {
    const path = await pretend({ id: "echo 1000" });
    const { stderr, exitCode } = sh([script], { path });
    expect(exitCode).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain("as root");
  });

  test("refuses another operating system", async () => {
    const path = await pretend({ uname: "echo Darwin" });
    expect(sh([script], { path }).stderr).toContain("Diplo runs on Linux");
  });

  test("--try through a pipe asks for a checkout", async () => {
    const { stderr, exitCode } = sh(["-s", "--", "--try"], { stdin: Bun.file(script) });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("needs a checkout");
  });

  test("does nothing when its download is cut anywhere", async () => {
    const text = await Bun.file(script).text();
    const path = await pretend({
      id: "echo 1000",
      systemctl: "echo touched >&2",
      "apt-get": "echo touched >&2",
    });
    for (const share of [0.1, 0.35, 0.6, 0.85, 0.99]) {
      const cut = new Blob([text.slice(0, Math.floor((text.length - 'main "$@"\n'.length) * share))]);
      const { stdout, stderr } = sh(["-s"], { stdin: cut, path });
      expect(stdout).toBe("");
      expect(stderr).not.toContain("diplo:");
      expect(stderr).not.toContain("touched");
    }
  });

  test("carries the units of systemd/ word for word", () => {
    expect(sh([join(root, "test/install/embed-units.sh"), "--check"])).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
  });
});

test("every shell script of ours is clean for shellcheck", async () => {
  const { stdout } = Bun.spawnSync(["git", "-C", root, "ls-files", "*.sh", ".ci/run"]);
  const scripts = stdout
    .toString()
    .trim()
    .split("\n")
    .filter((path) => !path.startsWith("test/fixtures/"));
  expect(scripts).toContain("install.sh");
  const check = Bun.spawnSync(["shellcheck", "-x", "-P", "SCRIPTDIR", ...scripts], { cwd: root });
  expect(check.stdout.toString()).toBe("");
  expect(check.exitCode).toBe(0);
});
