import { expect, test } from "bun:test";
import { dockerfileOf, type Files, planOf } from "./plan-of.ts";

/** Trees as people have them: half finished, from other systems, laid out in their own way. */
const startOf = async (files: Files) => (await planOf(files)).processes.web?.command?.join(" ");
const refusalOf = (files: Files) =>
  planOf(files).then(
    () => null,
    (error) => error,
  );
const START = { "package.json": { scripts: { start: "node x.js" } }, "x.js": "" };
const NPM = { "package-lock.json": "{}" };

test.each<[string, string, string, Files]>([
  ["node", "22", ".tool-versions: node 22.11.0", { ...START, ".tool-versions": "node   22.11.0 # lts\r\n" }],
  ["node", "22", "mise.toml: node 22", { ...START, "mise.toml": '[tools]\nnode = "22"\n' }],
  ["node", "24", ".mise.toml: node 24", { ...START, ".mise.toml": '[tools]\nnode = ["24", "22"]\n' }],
  ["python", "3.12", "mise.toml: python 3.12", { "main.py": "", "mise.toml": '[tools]\npython = "3.12"' }],
  ["php", "8.3", ".tool-versions: php 8.3.1", { "index.php": "", ".tool-versions": "php 8.3.1\n" }],
  [
    "java",
    "17",
    "mise.toml: Java temurin-17",
    { "pom.xml": "", "mise.toml": '[tools]\njava = { version = "temurin-17" }' },
  ],
  [
    "ruby",
    "3.3",
    "mise.toml: ruby 3.3",
    { Gemfile: "", "config.ru": "", "mise.toml": "[tools]\nruby = '3.3'" },
  ],
])("%s %s comes from %s", async (runtime, value, from, files) => {
  expect((await planOf(files)).versions[runtime]).toEqual({ value, from });
});

test.each<[string, string, Files]>([
  ["node", "16", { "package.json": { scripts: { start: "node x" }, engines: { node: "14.x" } } }],
  ["php", "8.0", { "index.php": "", "composer.json": { require: { php: "^7.4" } } }],
  ["python", "3.8", { "main.py": "", "runtime.txt": "python-2.7.18" }],
])(
  "a version of %s from before there were images gets the oldest, %s, and a word on it",
  async (name, line, files) => {
    const { versions, warnings } = await planOf(files);
    expect(versions[name]!.value).toBe(line);
    expect(warnings.join("\n")).toContain(`there is no image of ${name}`);
  },
);

test("go builds a module for a line from before there were images with the newest", async () => {
  const plan = await planOf({ "go.mod": "module x\ngo 1.18\n", "main.go": "package main" });
  expect(plan.versions.go!.value).toBe("1.27");
});

test("a manifest that is no JSON is named with the place of the mistake", async () => {
  const comment = await refusalOf({ "package.json": '{\n  "name": "x",\n  // start\n}' });
  expect(comment.detail).toBe("package.json is not valid JSON: line 3, column 3.");
  expect((await refusalOf({ "package.json": "" })).detail).toBe("package.json is empty.");
  const php = await refusalOf({ "index.php": "", "composer.json": '{"require": {"php": "^8.2",}}' });
  expect(php.detail).toStartWith("composer.json is not valid JSON: line 1");
});

test("a tree without a start command names the directories that can be deployed by themselves, and no others", async () => {
  const error = await refusalOf({
    "package.json": { workspaces: ["apps/*", "packages/*"], devDependencies: { turbo: "2" } },
    "apps/api/package.json": { scripts: { start: "node s.js" } },
    "apps/api/public/index.html": "",
    "apps/web/package.json": { scripts: { build: "vite build" }, devDependencies: { vite: "6" } },
    "packages/ui/package.json": { name: "ui", main: "index.js" },
    "node_modules/x/index.html": "",
  });
  expect(error).toMatchObject({ code: "no_start_command" });
  expect(error.hint).toContain("Set the subdirectory that holds the app: apps/api, apps/web.");
  expect(error.hint).toContain("Procfile");
});

test("a file whose name only its case tells apart is taken where Docker takes it, else named", async () => {
  expect((await planOf({ dockerfile: "FROM x" })).dockerfile_path).toBe("dockerfile");
  const { warnings } = await planOf({ ...START, procfile: "worker: node w.js" });
  expect(warnings.join()).toContain("procfile is not read: its name has to be Procfile");
  expect((await refusalOf({ "package.json": "{}", procfile: "web: node w.js" })).evidence).toEqual([
    "procfile is not read: its name has to be Procfile",
  ]);
});

test("node follows patterns of a workspace through all levels, and those that take away", async () => {
  const site = { scripts: { build: "vite build" }, devDependencies: { vite: "6" } };
  const files = {
    "package.json": "{}",
    "pnpm-workspace.yaml": "packages: ['apps/**', '!**/test/**']",
    "pnpm-lock.yaml": "lockfileVersion: '9.0'",
    "apps/site/web/package.json": site,
    "apps/site/test/fixture/package.json": site,
    "apps/site/web/node_modules/y/package.json": site,
  };
  const plan = await planOf(files);
  expect(plan.static!.root.value).toBe("apps/site/web/dist");
  expect(await dockerfileOf(files)).toContain("COPY apps/site/web/package.json ./apps/site/web/\n");
});

test("node takes a workspace that names its root for no member of itself", async () => {
  const pkg = { scripts: { build: "next build", start: "next start" }, dependencies: { next: "15" } };
  const pnpm = { "pnpm-workspace.yaml": "packages:\n  - .\n", "pnpm-lock.yaml": "lockfileVersion: '9.0'" };
  const text = await dockerfileOf({ "package.json": pkg, ...pnpm });
  expect(text).toContain("COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./\n");
  expect(text).not.toContain("./package.json");
});

test("node reads no setting out of a comment", async () => {
  const next = { scripts: { build: "next build", start: "next start" }, dependencies: { next: "15" } };
  const plain = "export default {\n  // output: 'standalone',\n  /* output: 'export', */\n}";
  const said = "export default { assetPrefix: 'https://x.org', output: 'standalone' }";
  const nameOf = async (config: string) =>
    (await planOf({ "package.json": next, "next.config.mjs": config })).framework!.value;
  expect([await nameOf(plain), await nameOf(said)]).toEqual(["Next", "Next (standalone)"]);
});

test("node makes Next's cache writable where its server runs: packed, in a workspace, beside a Procfile", async () => {
  const next = { scripts: { build: "next build", start: "next start" }, dependencies: { next: "15" } };
  const config = "export default { output: 'standalone' }";
  const alone = { "package.json": next, "next.config.js": config };
  const member = {
    "package.json": { workspaces: ["apps/*"] },
    "apps/web/package.json": next,
    "apps/web/next.config.js": config,
  };
  expect(await dockerfileOf(alone)).toContain("ln -s /tmp .next/standalone/.next/cache");
  expect(await dockerfileOf(member)).toContain("cd apps/web && rm -rf .next/cache && ln -s /tmp .next/cache");
  expect(await dockerfileOf({ ...alone, Procfile: "web: next start" })).toContain("ln -s /tmp .next/cache");
});

test("node starts no development server", async () => {
  const next = { scripts: { build: "next build", start: "next dev" }, dependencies: { next: "15" } };
  expect(await startOf({ "package.json": next })).toBe("next start");
  const angular = {
    scripts: { start: "ng serve", build: "ng build" },
    dependencies: { "@angular/core": "19", "@angular/ssr": "19", express: "4" },
  };
  const builder = "@angular-devkit/build-angular:application";
  const config = { projects: { shop: { architect: { build: { builder } } } } };
  expect(await startOf({ "package.json": angular, "angular.json": config })).toBe(
    "node dist/shop/server/server.mjs",
  );
  const webpack = {
    scripts: { start: "webpack serve --open", build: "webpack --mode production" },
    devDependencies: { webpack: "5", "html-webpack-plugin": "5" },
  };
  const plan = await planOf({
    "package.json": webpack,
    "webpack.config.js": "module.exports = { output: { path: path.resolve(__dirname, 'public_build') } }",
  });
  expect(plan.static!.root).toEqual({ value: "public_build", from: "webpack.config.js" });
});

test("node starts the main that a build is to make, of a server", async () => {
  const pkg = { main: "dist/index.js", scripts: { build: "tsc" }, dependencies: { express: "4" } };
  expect(await startOf({ "package.json": pkg, "src/index.ts": "" })).toBe("node dist/index.js");
  const library = { main: "dist/index.js", scripts: { build: "tsc" } };
  expect((await refusalOf({ "package.json": library })).code).toBe("no_start_command");
});

test("a page with npm's own package.json is a page, also where its script is called index.js", async () => {
  const pkg = { main: "index.js", scripts: { test: "exit 1" } };
  const page = (script: string) => `<script type="module" src="./${script}"></script>`;
  expect((await planOf({ "package.json": pkg, "index.html": page("a.js"), "a.js": "" })).provider).toBe(
    "static",
  );
  const own = { "package.json": pkg, "index.html": page("index.js"), "index.js": "" };
  expect((await planOf(own)).provider).toBe("static");
  expect(await startOf({ "package.json": pkg, "index.html": page("a.js"), "index.js": "" })).toBe(
    "node index.js",
  );
});

test("node builds the styles of a page, and serves the page", async () => {
  const pkg = { scripts: { build: "tailwindcss -i a.css -o b.css" }, devDependencies: { tailwindcss: "3" } };
  const files = { "package.json": pkg, ...NPM, "index.html": "<p>" };
  expect(await planOf(files)).toMatchObject({ provider: "node", static: { root: { value: "." } } });
  const text = await dockerfileOf(files);
  expect(text).toContain("npm run build");
  expect(text).toContain("RUN rm -rf node_modules");
});

test("rust beside a package.json for tools alone is rust", async () => {
  const files = {
    "Cargo.toml": '[workspace]\nmembers = ["server"]',
    "server/Cargo.toml": '[package]\nname = "server"',
    "server/src/main.rs": "",
    "package.json": { devDependencies: { prettier: "3" } },
  };
  expect(await startOf(files)).toBe("/app/bin/server");
});

const DJANGO = {
  "requirements/base.txt": "django>=5",
  "requirements/prod.txt": "-r base.txt\ngunicorn",
  "backend/manage.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')",
  "backend/config/wsgi.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')",
  "backend/config/settings.py": "STATIC_ROOT = 'x'\nDATABASES = {'default': env.db('DATABASE_URL')}",
};

test("python finds a Django project in a directory, and starts and gathers there", async () => {
  expect(await startOf(DJANGO)).toContain("exec gunicorn config.wsgi:application --chdir backend --bind");
  const text = await dockerfileOf(DJANGO);
  expect(text).toContain("cd backend && ");
  expect(text).toContain("pip install -r requirements/prod.txt");
  expect((await planOf(DJANGO)).warnings.join()).toContain("`release: python backend/manage.py migrate`");
  const example = {
    "requirements.txt": "flask",
    "app.py": "app = Flask(__name__)",
    "tools/manage.py": "Manager()",
  };
  expect(await startOf(example)).toContain("gunicorn app:app");
  const asgi = { ...DJANGO, "requirements/base.txt": "django\nchannels", "backend/config/asgi.py": "" };
  expect(await startOf(asgi)).toContain("uvicorn config.asgi:application --app-dir backend --host");
});

test("python serves the application that a module takes from another", async () => {
  const shop = { "requirements.txt": "flask", "shop/__init__.py": "app = Flask(__name__)\n" };
  expect(await startOf({ ...shop, "wsgi.py": "from shop import app\n" })).toContain("gunicorn wsgi:app ");
  expect(await startOf({ ...shop, "wsgi.py": "from shop import db, app as application\n" })).toContain(
    "gunicorn wsgi:application ",
  );
});

test("python takes a package's application before a module without one", async () => {
  const files = { "requirements.txt": "flask", "main.py": "import sys\n" };
  expect(await startOf({ ...files, "shop/__init__.py": "def create_app():\n  pass" })).toContain(
    "'shop:create_app()'",
  );
  expect(await startOf({ ...files, "backend/app.py": "app = Flask(__name__)" })).toContain("backend.app:app");
  expect(await startOf({ ...files, "tests/app.py": "app = Flask(__name__)" })).toBe("python main.py");
});

test("python installs a poetry project without a lockfile by poetry, which alone reads its tables", async () => {
  const pyproject =
    '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.12"\nfastapi = "*"\n';
  const files = { "pyproject.toml": pyproject, "main.py": "app = FastAPI()" };
  expect(await dockerfileOf(files)).toContain("poetry install --only main");
  expect((await planOf(files)).warnings.join()).toContain("No poetry.lock");
});

test("java reads the version catalog, and modules that the settings include", async () => {
  const plan = await planOf({
    "settings.gradle.kts": 'include(":services:web")',
    "gradle/libs.versions.toml": 'spring-boot = { id = "org.springframework.boot", version = "3.5.0" }',
    "services/web/build.gradle.kts":
      "plugins { alias(libs.plugins.spring.boot) }\nkotlin { jvmToolchain(21) }",
  });
  expect(plan).toMatchObject({ framework: { value: "Spring Boot" }, versions: { java: { value: "21" } } });
});

test("ruby reads a lockfile with Windows' line ends, and says when nothing in it serves", async () => {
  const lock =
    "GEM\r\n  specs:\r\n    sinatra (4.1.1)\r\n\r\nPLATFORMS\r\n  x64-mingw-ucrt\r\n\r\nRUBY VERSION\r\n   ruby 3.3.5p100\r\n";
  const files = { Gemfile: 'gem "sinatra"', "Gemfile.lock": lock, "config.ru": "" };
  const { versions, warnings } = await planOf(files);
  expect(versions.ruby!.value).toBe("3.3");
  expect(warnings.join("\n")).toMatch(/x64-mingw-ucrt[\s\S]*no server/);
  expect((await planOf({ ...files, Gemfile: 'gem "puma"' })).warnings.join()).not.toContain("no server");
});

test("php knows WordPress: its extensions, and what it cannot write here", async () => {
  const core = { "index.php": "<?php require 'wp-blog-header.php';", "wp-settings.php": "" };
  const { framework, warnings } = await planOf(core);
  expect(framework!.value).toBe("WordPress");
  expect(warnings.join("\n")).toMatch(/wp-content\/uploads[\s\S]*wp-config\.php/);
  expect(await dockerfileOf(core)).toContain("exif gd intl mysqli zip");
  const bedrock = { "composer.json": { require: { "roots/wordpress": "6" } }, "web/index.php": "" };
  expect((await planOf(bedrock)).framework!.value).toBe("WordPress");
});

test("elixir finds Phoenix, its migrations and its assets in an umbrella", async () => {
  const files = {
    "mix.exs": 'apps_path: "apps", releases: [shop: []]',
    "apps/shop/mix.exs": "app: :shop",
    "apps/shop/priv/repo/migrations/1.exs": "",
    "apps/shop/lib/shop/release.ex": "",
    "apps/shop_web/mix.exs": 'app: :shop_web, {:phoenix, "~> 1.7"}, "assets.deploy": []',
  };
  const plan = await planOf(files);
  expect(plan).toMatchObject({ framework: { value: "Phoenix" }, env: { PHX_SERVER: "true" } });
  expect(plan.release_command!.value).toEqual(["/app/bin/shop", "eval", "Shop.Release.migrate()"]);
  expect(await dockerfileOf(files)).toContain("(cd apps/shop_web && mix assets.deploy)");
});

test("dotnet takes no test for a program, and brings what every directory shares to the restore", async () => {
  const program = "<OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>";
  const tested = {
    "src/Shop/Shop.csproj": program,
    "tests/Shop.Tests/Shop.Tests.csproj": `${program}<PackageReference Include="xunit.v3" />`,
  };
  expect((await planOf(tested)).evidence).toEqual(["src/Shop/Shop.csproj"]);
  const shared = {
    "src/Directory.Build.props": "<TargetFramework>net8.0</TargetFramework>",
    "src/Directory.Packages.props": "",
    "src/Web/Web.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web">',
  };
  expect((await planOf(shared)).versions.dotnet!.value).toBe("8.0");
  expect(await dockerfileOf(shared)).toContain(
    "COPY src/Directory.Build.props src/Directory.Packages.props ./src/",
  );
});

test("site knows Hugo's shorter names, and lends it Go for modules", async () => {
  const files = { "hugo.yml": "", "content/a.md": "" };
  expect((await planOf(files)).framework!.value).toBe("Hugo");
  expect(await dockerfileOf({ ...files, "go.mod": "module x\ngo 1.26" })).toContain("/usr/local/go");
});

test("deno names the configuration that it read", async () => {
  const plan = await planOf({ "deno.jsonc": '{"tasks": {"start": "deno run -A main.ts"}}', "main.ts": "" });
  expect(plan.processes.web!.from).toBe("tasks.start in deno.jsonc");
});

test("a Dockerfile speaks of a lockfile only where there is one", async () => {
  const pkg = { scripts: { start: "node x.js" }, dependencies: { express: "4" } };
  expect(await dockerfileOf({ "package.json": pkg })).toContain("# Packages, as the manifest has them");
  expect(await dockerfileOf({ "package.json": pkg, ...NPM })).toContain(
    "# Packages, as the lockfile has them",
  );
});
