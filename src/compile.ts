/**
 * Builds the executable.
 *   bun run src/compile.ts          dist/diplo for this machine
 *   bun run src/compile.ts --all    dist/diplo-linux-x64, dist/diplo-linux-arm64 and SHA256SUMS
 *   … --entry FILE --out DIR        another entry or directory, for tests of this script
 */
import { existsSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import type { BunPlugin } from "bun";

const root = join(import.meta.dir, "..");

/** dockerode drags these in for ssh and for a gRPC session; we use neither, and they cost 18 MB and half the start. */
const NEVER_LOADED = /^(ssh2|cpu-features|protobufjs|@grpc\/(grpc-js|proto-loader))$/;

const stubs: BunPlugin = {
  name: "stubs",
  setup(build) {
    build.onResolve({ filter: NEVER_LOADED }, ({ path }) => ({ path, namespace: "stub" }));
    build.onLoad({ filter: /.*/, namespace: "stub" }, () => ({
      contents: "module.exports = {}",
      loader: "js",
    }));
  },
};

const { values: flags } = parseArgs({
  options: {
    all: { type: "boolean", default: false },
    entry: { type: "string", default: join(root, "src/main.ts") },
    out: { type: "string", default: join(root, "dist") },
  },
});

const targets = flags.all
  ? ([
      ["bun-linux-x64", "diplo-linux-x64"],
      ["bun-linux-arm64", "diplo-linux-arm64"],
    ] as const)
  : ([[undefined, "diplo"]] as const);

const version = await versionText();
await mkdir(flags.out, { recursive: true });
const order = await profile();
const files: string[] = [];
for (const [target, name] of targets) files.push(await compile(target, join(flags.out, name), order));
if (flags.all) await writeSums(files);

/**
 * Which functions the daemons really use, recorded from a first executable that starts, answers and stops: laid out
 * together they cost 10 MB less. Where the daemons do not start, only that is lost.
 */
async function profile(): Promise<string[]> {
  const scratch = await mkdtemp(join(tmpdir(), "dprofile-"));
  process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
  const executable = await compile(undefined, join(scratch, "diplo"), []);
  const start = (role: string, ...args: string[]) =>
    Bun.spawn([executable, role, "--data", scratch, ...args], {
      env: { ...process.env, BUN_BYTECODE_ORDER_OUT: join(scratch, `${role}.order`) },
      stdio: ["ignore", "ignore", "ignore"],
    });
  const daemons = [
    start("proxy"),
    start("serve", "--proxy-managed", "--control", "127.0.0.1:0", "--http", "127.0.0.1:0"),
  ];
  await answered(join(scratch, "control.sock"));
  for (const daemon of daemons) daemon.kill("SIGTERM");
  await Promise.all(daemons.map((daemon) => daemon.exited));
  return ["serve", "proxy"].map((role) => join(scratch, `${role}.order`)).filter((path) => existsSync(path));
}

async function answered(unix: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const ok = await fetch("http://box/api/v1/apps", { unix }).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await Bun.sleep(50);
  }
}

/** Answers the path of the executable. Throws when the bundle does not build. */
async function compile(
  target: Bun.Build.CompileTarget | undefined,
  outfile: string,
  bytecodeOrder: string[],
): Promise<string> {
  const started = performance.now();
  const { outputs } = await Bun.build({
    entrypoints: [flags.entry],
    // Splitting keeps import() in order and loads only what a verb needs: the proxy starts in 4 ms instead of 150.
    splitting: true,
    minify: true,
    bytecode: true,
    format: "esm",
    sourcemap: "inline",
    plugins: [stubs],
    define: {
      "process.env.NODE_ENV": '"production"',
      "process.env.DIPLO_VERSION": JSON.stringify(version),
    },
    // A compiled executable would run code that the current directory's bunfig.toml and .env name.
    compile: {
      outfile,
      ...(target && { target }),
      autoloadDotenv: false,
      autoloadBunfig: false,
      ...(bytecodeOrder.length > 0 && { bytecodeOrder }),
      // What only runs at the start is not worth compiling; the daemons go back to 1 once they answer.
      jitPolicy: 8,
    },
  });
  // The executable carries its source map; the copies beside it are not needed.
  for (const { kind, path } of outputs) if (kind === "sourcemap") await rm(path, { force: true });
  const megabytes = Bun.file(outfile).size / 1e6;
  console.log(
    `${outfile}  ${version}  ${megabytes.toFixed(1)} MB  ${Math.round(performance.now() - started)} ms`,
  );
  return outfile;
}

/** As in `0.1.0+f7ed0fc`: package.json's version and, in a checkout, the commit (`.dirty` when files differ from it). */
async function versionText(): Promise<string> {
  const { version } = await Bun.file(join(root, "package.json")).json();
  const commit = git("rev-parse", "--short=7", "HEAD");
  if (!commit) return version;
  return `${version}+${commit}${git("status", "--porcelain", "--untracked-files=no") ? ".dirty" : ""}`;
}

function git(...args: string[]): string {
  try {
    const { success, stdout } = Bun.spawnSync(["git", "-C", root, ...args], { stderr: "ignore" });
    return success ? stdout.toString().trim() : "";
  } catch {
    return ""; // no git here: a source archive
  }
}

async function writeSums(files: string[]): Promise<void> {
  const lines: string[] = [];
  for (const file of files) {
    const sum = new Bun.CryptoHasher("sha256").update(await Bun.file(file).bytes()).digest("hex");
    lines.push(`${sum}  ${basename(file)}\n`);
  }
  await Bun.write(join(flags.out, "SHA256SUMS"), lines.join(""));
}
