import { expect, test } from "bun:test";
import { defaultVersion, RUNTIMES, type RuntimeName } from "../../buildpacks/runtime-versions.ts";
import { dockerfileOf, type Files, outcomeOf, planOf } from "./plan-of.ts";

const commandOf = async (files: Files) => (await planOf(files)).processes.web!.command!.join(" ");

/** A smallest repository of each language, silent about its version. */
const SILENT: [RuntimeName, Files][] = [
  ["node", { "package.json": { scripts: { start: "node x.js" } } }],
  ["bun", { "package.json": { scripts: { start: "bun x.ts" } }, "bun.lock": "{}" }],
  ["deno", { "deno.json": "{}", "main.ts": "" }],
  ["python", { "main.py": "" }],
  ["go", { "main.go": "package main" }],
  ["ruby", { Gemfile: 'gem "rack"', "config.ru": "" }],
  ["php", { "index.php": "" }],
  ["java", { "pom.xml": "" }],
  ["dotnet", { "A.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web">' }],
  ["elixir", { "mix.exs": "app: :a" }],
  ["rust", { "Cargo.toml": '[package]\nname = "x"', "src/main.rs": "" }],
  ["python", { "mkdocs.yml": "" }],
  ["ruby", { Gemfile: 'gem "jekyll"', "_config.yml": "" }],
];

test.each(SILENT)(
  "a repository silent about its version of %s gets the table's, in its images too",
  async (name, files) => {
    const plan = await planOf(files);
    expect(plan.versions[name]).toEqual(defaultVersion(name));
    const images = plan.stages.map(({ from }) => from).join(" ");
    if (name !== "deno") expect(images).toContain(`:`);
    if (!["deno"].includes(name)) expect(images).toContain(defaultVersion(name).value);
  },
);

test("the table has a runtime for every language, and every language is asked of it", () => {
  expect(new Set(SILENT.map(([name]) => name))).toEqual(new Set(Object.keys(RUNTIMES) as RuntimeName[]));
});

test("python quotes what a factory is called by, and tells uvicorn that it is one", async () => {
  const factory = { "shop/__init__.py": "def create_app():\n    pass\n" };
  expect(await commandOf({ ...factory, "requirements.txt": "flask" })).toContain(
    "exec gunicorn 'shop:create_app()' --bind",
  );
  expect(await commandOf({ ...factory, "requirements.txt": "fastapi" })).toContain(
    "exec uvicorn --factory shop:create_app --host",
  );
});

test("python reads extras, requirements in a directory, and a package in src", async () => {
  const binary = await dockerfileOf({ "requirements.txt": "psycopg[binary]\n", "main.py": "" });
  const source = await dockerfileOf({ "requirements.txt": "psycopg\n", "main.py": "" });
  expect([binary.includes("libpq5"), source.includes("libpq5")]).toEqual([false, true]);
  const inDirectory = await dockerfileOf({
    "requirements/production.txt": "-r base.txt\ngunicorn",
    "requirements/base.txt": "flask",
    "app.py": "app = Flask(__name__)",
  });
  expect(inDirectory).toContain("COPY requirements/production.txt requirements/base.txt ./requirements/");
  const inSource = { "pyproject.toml": '[project]\nname = "my-shop"\ndependencies = ["fastapi"]' };
  expect(await commandOf({ ...inSource, "src/my_shop/main.py": "app = FastAPI()" })).toContain(
    "my_shop.main:app",
  );
});

test("python's Django runs with the settings of its server, gathers without secrets, and says what it leaves", async () => {
  const files = {
    "requirements.txt": "django",
    "manage.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.local')",
    "config/wsgi.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings.production')",
    "config/settings/base.py": "STATIC_ROOT = 'x'\nDATABASES = {'default': env.db('DATABASE_URL')}",
    "config/settings/production.py": "SECRET_KEY = env('DJANGO_SECRET_KEY')",
  };
  const plan = await planOf(files);
  expect(plan.env.DJANGO_SETTINGS_MODULE).toBe("config.settings.production");
  expect(plan.warnings.join()).toContain("python manage.py migrate");
  const text = await dockerfileOf(files);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
  expect(text).toContain('DJANGO_SECRET_KEY="${DJANGO_SECRET_KEY:-not-used-at-run-time}"');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
  expect(text).toContain('DATABASE_URL="${DATABASE_URL:-sqlite://:memory:}"');
  const migrated = await planOf({ ...files, Procfile: "release: python manage.py migrate" });
  expect(migrated.warnings.join()).not.toContain("migrate");
});

test("python builds scripts and styles beside any web framework", async () => {
  const text = await dockerfileOf({
    "requirements.txt": "flask",
    "app.py": "app = Flask(__name__)",
    "package.json": { scripts: { build: "tailwindcss" } },
  });
  expect(text).toContain("npm run build");
});

test("node holds install scripts until the tree is there, and drops those for developers", async () => {
  const scripts = { prepare: "husky", postinstall: "prisma generate", build: "tsc", start: "node x.js" };
  const text = await dockerfileOf({
    "package.json": { scripts, dependencies: { prisma: "6" } },
    "package-lock.json": "{}",
  });
  expect(text).toContain("npm pkg delete scripts.postinstall scripts.prepare && npm ci");
  expect(text.indexOf("COPY . ./")).toBeLessThan(text.indexOf("RUN npm run postinstall"));
  expect(text).not.toContain("npm run prepare");
});

test("node puts a server that needs no packages into the image alone", async () => {
  const nuxt = { "package.json": { scripts: { build: "nuxt build" }, dependencies: { nuxt: "4" } } };
  const text = await dockerfileOf(nuxt);
  expect(text.slice(text.indexOf("AS run"))).toContain("COPY --from=build /app/.output ./.output");
  expect(text).not.toContain("--omit=dev");
  const withWorker = await dockerfileOf({ ...nuxt, Procfile: "worker: node w.js" });
  expect(withWorker.slice(withWorker.indexOf("AS run"))).toContain("COPY --from=build /app ./");
});

test("node tells adapter-auto of SvelteKit to build for Node", async () => {
  const text = await dockerfileOf({
    "package.json": {
      scripts: { build: "vite build" },
      devDependencies: { vite: "7", "@sveltejs/kit": "2", "@sveltejs/adapter-auto": "7" },
    },
  });
  expect(text).toContain('GCP_BUILDPACKS="true"');
  expect(text).toContain('CMD ["node","build"]');
});

test("node reads volta and .tool-versions", async () => {
  const pkg = { scripts: { start: "node x.js" }, volta: { node: "22.1.0" } };
  expect((await planOf({ "package.json": pkg })).versions.node!.value).toBe("22");
  const tools = { "package.json": pkg, ".tool-versions": "nodejs 24.1.0\n" };
  expect((await planOf(tools)).versions.node!.from).toBe(".tool-versions: nodejs 24.1.0");
});

test("ruby keeps the files of Rails 8's database, precompiles for bootsnap, and warns of a lockfile for another system", async () => {
  const plan = await planOf({
    Gemfile: 'gem "rails"\ngem "sqlite3"\ngem "bootsnap"\n',
    "Gemfile.lock": "PLATFORMS\n  arm64-darwin-24\n\nDEPENDENCIES\n",
    "config/application.rb": "",
    "config/database.yml": "production:\n  primary:\n    database: storage/production.sqlite3\n",
  });
  expect(plan.volumes).toEqual(["/app/storage"]);
  expect(plan.warnings.join()).toContain("bundle lock --add-platform x86_64-linux");
  expect(JSON.stringify(plan.stages)).toContain("bootsnap precompile --gemfile");
  expect(plan.env.BOOTSNAP_READONLY).toBe("1");
});

test("php asks for the extensions that plain pages use, and for none that PHP has", async () => {
  const plain = await dockerfileOf({ "index.php": "<?php new mysqli('db'); new PDO('pgsql:host=db');" });
  expect(plain).toContain('docker-php-ext-install -j"$(nproc)" mysqli pdo_pgsql');
  expect(await dockerfileOf({ "index.php": "<?php" })).not.toContain("docker-php-ext-install");
  const old = { artisan: "", "public/index.php": "", "composer.json": { require: { php: "8.3.*" } } };
  expect(await dockerfileOf(old)).toContain(" opcache ");
  expect(await dockerfileOf({ ...old, "composer.json": {} })).not.toContain("opcache");
});

test("php's Symfony writes to memory and compiles its assets", async () => {
  const text = await dockerfileOf({
    "composer.json": { require: { "symfony/framework-bundle": "7", "symfony/asset-mapper": "7" } },
    "bin/console": "",
    "public/index.php": "",
  });
  expect(text).toContain("asset-map:compile");
  expect(text).toContain("ln -s /tmp/var var");
});

test("java takes the newest line that the wrapper's Gradle runs on, and a launcher where nothing packs the jars", async () => {
  const wrapper = (version: string) => ({
    "settings.gradle.kts": "",
    gradlew: "",
    "gradle/wrapper/gradle-wrapper.properties": `distributionUrl=https\\://x/gradle-${version}-bin.zip`,
    "app/build.gradle.kts": 'plugins { id("application") }',
  });
  for (const [gradle, java] of [
    ["7.2", "11"],
    ["8.4", "17"],
    ["8.10.2", "21"],
    ["9.1.0", "25"],
  ] as const)
    expect((await planOf(wrapper(gradle))).versions.java!.value).toBe(java);
  expect(await dockerfileOf(wrapper("9.1.0"))).toContain("installDist");
  expect(await commandOf(wrapper("9.1.0"))).toBe("/app/bin/app");
});

test("java reads the modules of a maven project", async () => {
  const plan = await planOf({
    "pom.xml": "<modules><module>web</module></modules>",
    "web/pom.xml": "<java.version>21</java.version> spring-boot-maven-plugin",
  });
  expect(plan).toMatchObject({ framework: { value: "Spring Boot" }, versions: { java: { value: "21" } } });
});

test("dotnet pins an SDK that global.json pins, publishes the newest target, and serves Blazor as files", async () => {
  const project = '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFrameworks>net8.0;net10.0</TargetFrameworks>';
  const pinned = await planOf({ "A.csproj": project, "global.json": { sdk: { version: "10.0.101" } } });
  expect(pinned.build_image!.value).toEndWith("/sdk:10.0.101");
  expect(JSON.stringify(pinned.stages)).toContain("--framework net10.0");
  const rolling = { sdk: { version: "10.0.101", rollForward: "latestFeature" } };
  expect((await planOf({ "A.csproj": project, "global.json": rolling })).build_image!.value).toEndWith(
    "/sdk:10.0",
  );
  const blazor = await planOf({ "A.csproj": '<Project Sdk="Microsoft.NET.Sdk.BlazorWebAssembly">' });
  expect(blazor.static).toMatchObject({ root: { value: "/out/wwwroot" }, spa: { value: true } });
});

test("dotnet takes packages from every project's manifest first", async () => {
  const text = await dockerfileOf({
    "src/Web/Web.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web">',
    "src/Core/Core.csproj": '<Project Sdk="Microsoft.NET.Sdk">',
    "Directory.Packages.props": "",
  });
  expect(text).toContain("COPY src/Core/Core.csproj ./src/Core/");
  expect(text.indexOf("dotnet restore")).toBeLessThan(text.indexOf("COPY . ./"));
});

test("elixir installs the packages of assets/, and says when migrations are not run", async () => {
  const plan = await planOf({
    "mix.exs": 'app: :a, "assets.deploy": [], {:phoenix, 1}',
    "mix.lock": "",
    "assets/package.json": { dependencies: { alpinejs: "3" } },
    "assets/package-lock.json": "{}",
    "priv/repo/migrations/1.exs": "",
  });
  expect(JSON.stringify(plan.stages)).toContain("cd assets && npm ci");
  expect(plan.warnings.join()).toContain("mix phx.gen.release");
});

test("go builds for an ended line with the newest, and knows programs outside of cmd's directories", async () => {
  expect((await planOf({ "go.mod": "module x\ngo 1.21\n", "main.go": "package main" })).versions.go).toEqual({
    value: defaultVersion("go").value,
    from: "go.mod needs 1.21 at least, which has ended",
  });
  expect(await commandOf({ "go.mod": "module x/shop", "cmd/main.go": "package main" })).toBe("/app/bin/shop");
  expect(await commandOf({ "go.mod": "module x", "server/main.go": "package main" })).toBe("/app/bin/server");
  const generator = {
    "go.mod": "module x",
    "gen.go": "//go:build ignore\npackage main",
    "lib.go": "package x",
  };
  expect(await outcomeOf(generator)).toBe("no_start_command");
});

test("go brings what cgo builds and runs with", async () => {
  const text = await dockerfileOf({
    "go.mod": "module x\nrequire github.com/davidbyttow/govips/v2 v2",
    "main.go": "package main",
  });
  expect(text).toMatch(/libvips-dev[\s\S]*AS run[\s\S]*libvips42/);
});

test("rust warns of an address that nothing reaches, of a port that cannot be told, and of nightly", async () => {
  const crate = { "Cargo.toml": '[package]\nname = "x"\n[dependencies]\naxum = "0.8"\n', "Cargo.lock": "" };
  const { warnings } = await planOf({
    ...crate,
    "src/main.rs": 'TcpListener::bind("127.0.0.1:3000")',
    "rust-toolchain.toml": '[toolchain]\nchannel = "nightly-2026-01-01"',
  });
  expect(warnings.join("\n")).toMatch(/nightly[\s\S]*127\.0\.0\.1[\s\S]*PORT/);
});

test("deno starts where it is told whatever the program says, and fetches named packages before the code", async () => {
  const files = {
    "deno.json": '{ "imports": { "hono": "jsr:@hono/hono" }, "tasks": { "start": "deno serve -A main.ts" } }',
    "deno.lock": "{}",
    "main.ts": "",
  };
  expect(await commandOf(files)).toContain('exec deno serve --host 0.0.0.0 --port "$PORT" -A main.ts');
  const text = await dockerfileOf(files);
  expect(text.indexOf("deno install --frozen")).toBeLessThan(text.indexOf("COPY . ./"));
});

test("deno takes Fresh's preview for its start, which is for development", async () => {
  const tasks = { start: "deno run -A --watch=static/ dev.ts", preview: "deno run -A main.ts" };
  const files = { "deno.json": { tasks }, "fresh.config.ts": "", "main.ts": "" };
  expect(await commandOf(files)).toContain("deno run -A main.ts");
});
