import { type Subprocess, spawn } from "bun";

export interface Outcome {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/**
 * A Debian 12 machine with systemd as PID 1: a container with what systemd and an engine inside need, no more.
 * The engine's data lies on a volume, because an overlay cannot lie on another.
 */
export class Machine implements AsyncDisposable {
  constructor(
    readonly name: string,
    private readonly image: string,
  ) {}

  async start(): Promise<void> {
    await docker(
      ...["run", "-d", "--name", this.name, "--hostname", "box", "--stop-timeout", "60"],
      ...["--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--security-opt", "seccomp=unconfined"],
      ...["--security-opt", "apparmor=unconfined", "--security-opt", "systempaths=unconfined"],
      ...[
        "--tmpfs",
        "/run",
        "--tmpfs",
        "/run/lock",
        "-v",
        "/sys/fs/cgroup:/sys/fs/cgroup:rw",
        "--cgroupns",
        "host",
      ],
      ...["-v", `${this.name}:/var/lib/docker`, this.image],
    );
    await this.booted();
  }

  /** Waits until every unit has come up. */
  async booted(): Promise<void> {
    await until(60_000, `${this.name} boots`, async () =>
      /running|degraded/.test((await this.run("systemctl is-system-running")).stdout),
    );
  }

  /** Power off and on again. */
  async restart(): Promise<void> {
    await docker("restart", this.name);
    await this.booted();
  }

  /** Where the machine reaches this process. */
  async gateway(): Promise<string> {
    return (await this.must("ip route show default")).split(" ")[2] ?? "";
  }

  /** Runs a line of shell inside, as root. */
  run(line: string, stdin?: ReadableStream): Promise<Outcome> {
    return execute(["docker", "exec", "-i", this.name, "sh", "-c", line], stdin);
  }

  /** As `run`, but throws with everything the line said when it fails. */
  async must(line: string, stdin?: ReadableStream): Promise<string> {
    const { stdout, stderr, exitCode } = await this.run(line, stdin);
    if (exitCode !== 0) throw new Error(`${line}: exit code ${exitCode}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** A line of shell that goes on while the test does something else. */
  background(line: string): Subprocess<"ignore", "pipe", "pipe"> {
    return spawn(["docker", "exec", this.name, "sh", "-c", line], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  }

  /** Gives the inner engine an image of the outer one. */
  async give(image: string): Promise<void> {
    const saved = spawn(["docker", "save", image], { stdout: "pipe" });
    await this.must("docker load", saved.stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await execute(["docker", "rm", "-fv", this.name]);
    await execute(["docker", "volume", "rm", "-f", this.name]);
  }
}

async function docker(...args: string[]): Promise<void> {
  const { stderr, exitCode } = await execute(["docker", ...args]);
  if (exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
}

/** Asks until the answer is yes; throws after `deadlineMs`. */
export async function until(deadlineMs: number, what: string, check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await Bun.sleep(250);
  }
}

async function execute(argv: string[], stdin?: ReadableStream): Promise<Outcome> {
  const child = spawn(argv, { stdin: stdin ?? "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}
