import type { BuildPlan, Stage } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { quote } from "../../src/engine/build/quote.ts";
import { readJson, type SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { aptInstall, CERTIFICATES, copyAll, copyInPlace, present, runTheirs, take } from "../steps.ts";
import { type CargoProgram, cargoPrograms } from "./programs.ts";

const CACHES = { "cargo-registry": "/usr/local/cargo/registry", "cargo-git": "/usr/local/cargo/git" };

const READ_AT_RUN_TIME = ["templates", "static", "public", "assets", "migrations", "config", "locales"];

const FRAMEWORKS: [string, string][] = [
  ["axum", "Axum"],
  ["actix-web", "Actix Web"],
  ["rocket", "Rocket"],
  ["warp", "Warp"],
  ["poem", "Poem"],
];

/** Crates with a program, and workspaces of them. */
export const rustProvider: Provider = {
  name: "rust",
  looks_for: "Cargo.toml with a program (Rust)",
  start_from: "the program of Cargo.toml: [[bin]], src/main.rs, default-run, members of the workspace",
  async detect(tree) {
    if (!(await tree.has("Cargo.toml"))) return null;
    const pkg = await readJson(tree, "package.json").catch(() => null);
    const programs = await cargoPrograms(tree);
    // A library, or code for the browser beside a Node program.
    return programs.length === 0 || (pkg !== null && !(await tree.has("src/main.rs")))
      ? null
      : ["Cargo.toml"];
  },
  plan: planRust,
};

async function planRust(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const programs = await cargoPrograms(tree);
  const lock = (await tree.read("Cargo.lock")) ?? "";
  const manifest = (await tree.read("Cargo.toml")) ?? "";
  const wish = await toolchain(tree);
  const version = wish ?? chooseVersion("rust", null).version;
  const framework = FRAMEWORKS.find(
    ([name]) => lock.includes(`name = "${name}"`) || manifest.includes(`${name} =`),
  );
  const plan = emptyPlan("rust", evidence);
  plan.versions.rust = version;
  plan.framework = framework ? { value: framework[1], from: `${framework[0]} in the dependencies` } : null;
  plan.build_image = { value: `rust:${version.value}-bookworm`, from: version.from };
  plan.run_image = { value: "debian:bookworm-slim", from: "programs need no Rust to run" };
  plan.env = { HOME: "/tmp", PATH: "/app/bin:$PATH", RUST_BACKTRACE: "1" };
  if (lock === "") plan.warnings.push("No Cargo.lock: versions of crates may differ from build to build.");
  const web = programs.find(({ isWeb }) => isWeb);
  if (web !== undefined) plan.processes.web = startOf(web, framework?.[0]);
  plan.stages = [buildStage(plan, programs, lock), await runStage(tree, plan, lock)];
  return plan;
}

/** rust-toolchain(.toml): a version is a tag of the image; channels but stable are not to be had as images. */
async function toolchain(tree: SourceTree): Promise<{ value: string; from: string } | null> {
  for (const file of ["rust-toolchain.toml", "rust-toolchain"]) {
    const text = await tree.read(file);
    if (text === null) continue;
    const channel = /channel\s*=\s*"([^"]+)"/.exec(text)?.[1] ?? text.trim();
    const version = /^(\d+\.\d+)(\.\d+)?$/.exec(channel);
    if (version !== null) return { value: version[1]!, from: `${file}: ${channel}` };
  }
  return null;
}

function startOf(program: CargoProgram, framework: string | undefined) {
  const path = `/app/bin/${program.name}`;
  if (framework !== "rocket") return { command: [path], from: program.from };
  const line = `ROCKET_ADDRESS=0.0.0.0 ROCKET_PORT="$PORT" exec ${quote(path)}`;
  return { command: ["sh", "-c", line], from: program.from };
}

/** The target directory stays between builds: a change of code compiles the crate alone. */
function buildStage(plan: BuildPlan, programs: CargoProgram[], lock: string): Stage {
  const locked = lock === "" ? "" : " --locked";
  const names = programs.map(({ name }) => quote(name));
  const build = `cargo build --release${locked} ${names.map((name) => `--bin ${name}`).join(" ")}`;
  const copy = `mkdir -p /out && cp ${names.map((name) => `target/release/${name}`).join(" ")} /out/`;
  const from = programs.map((program) => program.from).join(", ");
  return {
    name: "build",
    from: plan.build_image!.value,
    purpose: "The programs",
    env: {},
    steps: [
      copyAll(),
      runTheirs({ value: `${build} && ${copy}`, from }, { ...CACHES, "cargo-target": "/app/target" }),
    ],
  };
}

async function runStage(tree: SourceTree, plan: BuildPlan, lock: string): Promise<Stage> {
  const libraries = [
    ...(lock.includes('name = "openssl-sys"') ? ["libssl3"] : []),
    ...(lock.includes('name = "pq-sys"') ? ["libpq5"] : []),
  ];
  const files = await present(tree, READ_AT_RUN_TIME);
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
