import { join } from "node:path/posix";
import type { BuildPlan, Choice, Stage } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { quote } from "../../src/engine/build/quote.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { readPackageJson } from "../node/package-json.ts";
import { defaultVersion } from "../runtime-versions.ts";
import { aptInstall, CERTIFICATES, copyAll, copyInPlace, present, runTheirs, take } from "../steps.ts";
import { type CargoTree, findCargoTree } from "./crates.ts";
import { type CargoProgram, cargoPrograms, WEB_FRAMEWORKS } from "./programs.ts";

const CACHES = { "cargo-registry": "/usr/local/cargo/registry", "cargo-git": "/usr/local/cargo/git" };

const READ_AT_RUN_TIME = ["templates", "static", "public", "assets", "migrations", "config", "locales"];

/** Shared libraries that crates load at run time; the slim image lacks them. */
const LIBRARIES: Record<string, string[]> = {
  "openssl-sys": ["libssl3"],
  "pq-sys": ["libpq5"],
  "mysqlclient-sys": ["libmariadb3"],
};

/** Crates with a program, and workspaces of them. */
export const rustProvider: Provider = {
  name: "rust",
  looks_for: "Cargo.toml with a program (Rust)",
  start_from: "the program of Cargo.toml: [[bin]], src/main.rs, default-run, members of the workspace",
  async detect(tree) {
    if (!(await tree.has("Cargo.toml"))) return null;
    const programs = await cargoPrograms(await findCargoTree(tree));
    // A library, or code for the browser beside a Node program or site.
    const scripts = (await readPackageJson(tree).catch(() => null))?.scripts;
    const isNode = scripts?.start !== undefined || scripts?.build !== undefined;
    const besideNode = isNode && !(await tree.has("src/main.rs"));
    return programs.length === 0 || besideNode ? null : ["Cargo.toml"];
  },
  plan: planRust,
};

async function planRust(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const cargo = await findCargoTree(tree);
  const programs = await cargoPrograms(cargo);
  const lock = (await cargo.tree.read("Cargo.lock")) ?? "";
  const { version, warnings } = await toolchain(cargo);
  const web = programs.find(({ isWeb }) => isWeb);
  const framework = web?.framework ?? null;
  const plan = emptyPlan("rust", evidence);
  plan.context = cargo.context;
  plan.directory = cargo.directory;
  plan.ignore = ["target"];
  plan.versions.rust = version;
  if (web !== undefined && framework !== null)
    plan.framework = {
      value: WEB_FRAMEWORKS[framework]!,
      from: `${framework} in the dependencies of ${web.crate}`,
    };
  plan.build_image = { value: `rust:${version.value}-bookworm`, from: version.from };
  plan.run_image = { value: "debian:bookworm-slim", from: "programs need no Rust to run" };
  plan.env = { HOME: "/tmp", PATH: "/app/bin:$PATH", RUST_BACKTRACE: "1" };
  plan.warnings.push(...warnings);
  if (lock === "") plan.warnings.push("No Cargo.lock: versions of crates may differ from build to build.");
  if (web !== undefined) {
    plan.processes.web = startOf(web);
    plan.warnings.push(...(await addressWarnings(cargo, web)));
  }
  plan.stages = [buildStage(plan, programs, lock), await runStage(cargo, plan, lock)];
  return plan;
}

/** rust-toolchain(.toml): a version is a tag of the image; there are no images of nightly. */
async function toolchain({ tree }: CargoTree): Promise<{ version: Choice<string>; warnings: string[] }> {
  const version = defaultVersion("rust");
  for (const file of ["rust-toolchain.toml", "rust-toolchain"]) {
    const text = await tree.read(file);
    if (text === null) continue;
    const channel = /channel\s*=\s*"([^"]+)"/.exec(text)?.[1] ?? text.trim();
    const line = /^(\d+\.\d+)(\.\d+)?$/.exec(channel)?.[1];
    if (line !== undefined) return { version: { value: line, from: `${file}: ${channel}` }, warnings: [] };
    if (channel !== "stable")
      return { version, warnings: [`${file} asks for ${channel}; the newest stable Rust is used.`] };
  }
  return { version, warnings: [] };
}

/** Rocket alone is told by its environment where to listen. */
function startOf({ name, framework, from }: CargoProgram) {
  const path = `/app/bin/${name}`;
  if (framework !== "rocket") return { command: [path], from };
  const line = `ROCKET_ADDRESS=0.0.0.0 ROCKET_PORT="$PORT" exec ${quote(path)}`;
  return { command: ["sh", "-c", line], from };
}

/** The others listen where their code says: what it says is looked at, since nothing else can change it. */
async function addressWarnings({ tree }: CargoTree, { source, framework }: CargoProgram): Promise<string[]> {
  if (framework === null || framework === "rocket") return [];
  const text = (await tree.read(source)) ?? "";
  const warnings: string[] = [];
  if (
    /127[.,]\s*0[.,]\s*0[.,]\s*1|localhost/.test(text) &&
    !/0[.,]\s*0[.,]\s*0[.,]\s*0\b|UNSPECIFIED/.test(text)
  )
    warnings.push(
      `${source} listens on 127.0.0.1, where nothing outside of the container reaches it: use 0.0.0.0.`,
    );
  if (/\.(?:bind|run)\(|TcpListener/.test(text) && !/PORT\b|config|env::var|clap/i.test(text))
    warnings.push(
      `${source} does not read PORT: set the port that it listens on (setting port), or read PORT.`,
    );
  return warnings;
}

/**
 * The target directory stays between builds: a change of code compiles the crate alone. Cargo goes by the times of
 * files, and those of an archive are older than what was built last.
 */
function buildStage(plan: BuildPlan, programs: CargoProgram[], lock: string): Stage {
  const locked = lock === "" ? "" : " --locked";
  const crates = [...new Set(programs.map(({ crate }) => crate))].map((name) => `--package ${quote(name)}`);
  const names = programs.map(({ name }) => quote(name));
  const lines = [
    "find . -path ./target -prune -o -type f -exec touch {} +",
    `cargo build --release${locked} ${crates.join(" ")} ${names.map((name) => `--bin ${name}`).join(" ")}`,
    `mkdir -p /out && cp ${names.map((name) => `target/release/${name}`).join(" ")} /out/`,
  ];
  const from = programs.map((program) => program.from).join(", ");
  return {
    name: "build",
    from: plan.build_image!.value,
    purpose: "The programs",
    env: {},
    steps: [
      copyAll(),
      runTheirs({ value: lines.join(" && \\\n    "), from }, { ...CACHES, "cargo-target": "/app/target" }),
    ],
  };
}

async function runStage({ tree, directory }: CargoTree, plan: BuildPlan, lock: string): Promise<Stage> {
  const libraries = Object.entries(LIBRARIES).flatMap(([crate, packages]) =>
    lock.includes(`name = "${crate}"`) ? packages : [],
  );
  const files = await present(
    tree,
    READ_AT_RUN_TIME.map((name) => join(directory, name)),
  );
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: "The image that runs: the programs and the files they read, no root",
    env: {},
    steps: [
      ...aptInstall({ value: libraries, from: "because crates load them" }),
      take("build", CERTIFICATES, CERTIFICATES),
      ...copyInPlace(files.map((path) => `${path}/`)),
      take("build", "/out", "./bin"),
    ],
  };
}
