import { describe, expect, test } from "bun:test";
import { described, type Files, outcomeOf } from "./plan-of.ts";

interface Cases {
  positive: Record<string, Files>;
  /** Trees that another provider, or none, owns. */
  negative: [string, string, Files][];
}

const WSGI = {
  "mysite/wsgi.py": "",
  "mysite/settings.py": "import os\nSTATIC_ROOT = BASE_DIR / 'static'\nos.environ['X']",
};
const MANAGE = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')";

const CASES: Record<string, Cases> = {
  python: {
    positive: {
      "Flask with pip": {
        "requirements.txt": "flask==3.0 # web\npsycopg2>=2.9\n-r more.txt\n",
        "more.txt": "requests\n",
        "app.py": "from flask import Flask\napp = Flask(__name__)\n",
        ".python-version": "3.12.4\n",
      },
      "FastAPI with poetry": {
        "pyproject.toml":
          '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.11"\nfastapi = "*"\nuvicorn = "*"\n',
        "poetry.lock": "",
        "main.py": "app: FastAPI = FastAPI(title='x')\n",
      },
      "FastAPI with uv in src": {
        "pyproject.toml":
          '[project]\nname = "x"\nrequires-python = ">=3.10,<3.13"\ndependencies = ["fastapi>=0.110"]\n',
        "uv.lock": "",
        "src/main.py": "app = fastapi.FastAPI()\n",
      },
      "Django with static files and assets": {
        "requirements.txt": "Django>=5\ngunicorn\nmysqlclient\n",
        "manage.py": MANAGE,
        ...WSGI,
        "package.json": { scripts: { build: "tailwindcss" }, devDependencies: { tailwindcss: "4" } },
        "package-lock.json": "{}",
      },
      "Streamlit with pipenv": {
        Pipfile: '[packages]\nstreamlit = "*"\n[requires]\npython_version = "3.11"\n',
        "Pipfile.lock": "{}",
        "app.py": "import streamlit",
      },
      "a factory in a package, pyproject alone": {
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ["Flask"]\n',
        "shop/__init__.py": "def create_app(config=None):\n    pass\n",
      },
      "a bot without dependencies": { "main.py": "print('hi')", Procfile: "worker: python main.py" },
      "pdm and asgi.py": {
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ["starlette", "uvicorn"]\n',
        "pdm.lock": "",
        "asgi.py": "application = Starlette(routes=[])\n",
      },
    },
    negative: [
      [
        "a Node program with helpers in Python",
        "node",
        { "package.json": { scripts: { start: "node x" } }, "requirements.txt": "" },
      ],
      ["a lone module", "nothing_detected", { "helpers.py": "" }],
      [
        "a library without a program",
        "no_start_command",
        { "pyproject.toml": '[project]\nname="x"\ndependencies=[]' },
      ],
    ],
  },
  go: {
    positive: {
      "a program at the root": {
        "go.mod": "module example.org/shop/v2\n\ngo 1.24.1\n",
        "go.sum": "",
        "main.go": "package main\n",
      },
      "programs in cmd": {
        "go.mod": "module x\ngo 1.23\nrequire github.com/gin-gonic/gin v1.9.0\n",
        "cmd/server/main.go": "package main",
        "cmd/worker/main.go": "package main",
        "templates/a.html": "",
      },
      "one program in cmd, vendored": {
        "go.mod": "module x\ngo 1.25\ntoolchain go1.26.0\n",
        "vendor/modules.txt": "",
        "cmd/thing/main.go": "package main",
      },
      "cgo for SQLite": {
        "go.mod": "module x\ngo 1.25\nrequire github.com/mattn/go-sqlite3 v1\n",
        "go.sum": "",
        "main.go": "package main",
      },
      "modules of the tree": {
        "go.mod": "module x\ngo 1.25\nreplace a => ./a\n",
        "main.go": "package main",
        "a/go.mod": "module a",
      },
      "no go.mod": { "main.go": "package main\n" },
    },
    negative: [
      ["a library", "no_start_command", { "go.mod": "module x\n", "lib.go": "package lib\n" }],
      [
        "several programs and none of them the web",
        "no_start_command",
        { "go.mod": "module x\n", "cmd/a/main.go": "package main", "cmd/b/main.go": "package main" },
      ],
    ],
  },
  ruby: {
    positive: {
      "Rails with assets and migrations": {
        Gemfile: 'ruby "3.3.5"\ngem "rails"\ngem "pg"\ngem "puma"\ngem "propshaft"\n',
        "Gemfile.lock":
          "GEM\n  specs:\n    rails (8.0.0)\n    pg (1.5)\n    puma (6.4)\n    propshaft (1.0)\n",
        "config/application.rb": "",
        "config/puma.rb": "",
        "db/migrate/1_a.rb": "",
      },
      "Rails with yarn": {
        Gemfile: 'gem "rails"\ngem "jsbundling-rails"\ngem "sprockets-rails"\n',
        "Gemfile.lock": "",
        "config/application.rb": "",
        "package.json": { scripts: { build: "esbuild" }, dependencies: { esbuild: "0.20" } },
        "yarn.lock": "# yarn lockfile v1",
        ".ruby-version": "ruby-3.2.2",
      },
      "Sinatra by itself": {
        Gemfile: 'gem "sinatra"\n',
        "app.rb": "require 'sinatra'",
        "Gemfile.lock": "    sinatra (4.0)\n",
      },
      "Rack with puma": {
        Gemfile: 'ruby "~> 3.2"\ngem "puma"\ngem "roda"',
        "Gemfile.lock": "",
        "config.ru": "",
      },
      "Rack without a server": { Gemfile: 'gem "rack"\ngem "rackup"', "config.ru": "" },
      "vendored gems and a gem of the tree": {
        Gemfile: 'gem "sinatra"\ngem "own", path: "lib/own"\n',
        "Gemfile.lock": "RUBY VERSION\n   ruby 3.1.2p20\n",
        "vendor/cache/sinatra-4.gem": "",
        "config.ru": "",
      },
    },
    negative: [
      [
        "a Gemfile for tools beside Node",
        "node",
        { Gemfile: 'gem "fastlane"', "package.json": { scripts: { start: "node x" } } },
      ],
      ["a Jekyll site", "site", { Gemfile: 'gem "jekyll"', "_config.yml": "" }],
    ],
  },
  php: {
    positive: {
      Laravel: {
        "composer.json": { require: { php: "^8.2", "laravel/framework": "^11", "ext-gd": "*" } },
        "composer.lock": { packages: [{ name: "a", require: { "ext-intl": "*" } }] },
        artisan: "",
        "public/index.php": "",
        "package.json": { scripts: { build: "vite build" }, devDependencies: { vite: "6" } },
        "package-lock.json": "{}",
      },
      Symfony: {
        "composer.json": { require: { php: ">=8.1", "symfony/framework-bundle": "7" } },
        "composer.lock": "{}",
        "public/index.php": "",
      },
      "plain files": { "index.php": "<?php" },
      "plain files in web": { "web/index.php": "<?php", "README.md": "" },
      "packages of the tree": {
        "composer.json": {
          repositories: [{ type: "path", url: "lib/*" }],
          require: { php: "8.2.*", "own/lib": "*" },
        },
        "composer.lock": "{}",
        "index.php": "",
      },
      "an old version and pecl": {
        "composer.json": { require: { php: "~8.0 || ~8.1", "ext-redis": "*" } },
        "index.php": "",
      },
    },
    negative: [
      ["a composer.json without a site", "no_start_command", { "composer.json": "{}" }],
      ["a page of HTML", "static", { "index.html": "" }],
    ],
  },
  java: {
    positive: {
      "Spring Boot with maven": {
        "pom.xml": "<java.version>17</java.version><artifactId>spring-boot-starter-web</artifactId>",
      },
      "Quarkus with maven": {
        "pom.xml": "<maven.compiler.release>21</maven.compiler.release><g>io.quarkus</g>",
      },
      "plain maven for Java 8": { "pom.xml": "<maven.compiler.source>1.8</maven.compiler.source>" },
      "Spring Boot with the gradle wrapper": {
        "build.gradle.kts":
          'plugins { id("org.springframework.boot") }\njava { toolchain { languageVersion = JavaLanguageVersion.of(19) } }',
        gradlew: "",
      },
      "gradle without wrapper": { "build.gradle": "sourceCompatibility = '11'" },
      "system.properties first": {
        "pom.xml": "<java.version>11</java.version>",
        "system.properties": "java.runtime.version=21\n",
      },
    },
    negative: [
      ["a lone class", "nothing_detected", { "Main.java": "" }],
      [
        "an Android project below a Node program",
        "node",
        { "package.json": { scripts: { start: "node x" } }, "android/build.gradle": "" },
      ],
    ],
  },
  rust: {
    positive: {
      "a crate with Axum": {
        "Cargo.toml": '[package]\nname = "shop"\n[dependencies]\naxum = "0.7"\n',
        "Cargo.lock": 'name = "axum"\n',
        "src/main.rs": "",
      },
      "its own program name and OpenSSL": {
        "Cargo.toml": '[package]\nname = "shop"\n[[bin]]\nname = "serve"\npath = "src/main.rs"\n',
        "Cargo.lock": 'name = "openssl-sys"\nname = "actix-web"\n',
        "src/main.rs": "",
      },
      "Rocket with a pinned toolchain": {
        "Cargo.toml": '[package]\nname = "r"\n[dependencies]\nrocket = "0.5"\n',
        "Cargo.lock": 'name = "rocket"\n',
        "rust-toolchain.toml": '[toolchain]\nchannel = "1.79.0"\n',
        "src/main.rs": "",
        "templates/a.tera": "",
      },
      "a workspace": {
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
        "Cargo.lock": "",
        "crates/core/Cargo.toml": '[package]\nname = "core"\n',
        "crates/core/src/lib.rs": "",
        "crates/web/Cargo.toml": '[package]\nname = "my-web"\n',
        "crates/web/src/main.rs": "",
        "crates/job/Cargo.toml": '[package]\nname = "job"\n',
        "crates/job/src/main.rs": "",
      },
      "programs in src/bin": {
        "Cargo.toml": '[package]\nname = "x"\n',
        "Cargo.lock": "",
        "src/bin/server.rs": "",
        "src/bin/seed.rs": "",
      },
      "default-run": {
        "Cargo.toml": '[package]\nname = "x"\ndefault-run = "b"\n',
        "src/main.rs": "",
        "src/bin/b.rs": "",
      },
    },
    negative: [
      ["a library", "nothing_detected", { "Cargo.toml": '[package]\nname = "x"\n', "src/lib.rs": "" }],
      [
        "code for the browser beside Node",
        "node",
        {
          "Cargo.toml": '[workspace]\nmembers = ["a"]',
          "a/Cargo.toml": '[package]\nname="a"',
          "a/src/main.rs": "",
          "package.json": { scripts: { start: "node x" } },
        },
      ],
    ],
  },
  deno: {
    positive: {
      "a start task": { "deno.json": '{ "tasks": { "start": "deno run -A main.ts" } }', "main.ts": "" },
      "a start task that needs the shell": {
        "deno.jsonc": '{ // c\n "tasks": { "start": "X=1 deno run -A main.ts" } }',
        "main.ts": "",
      },
      "an entry file": { "deno.json": "{}", "server.ts": "" },
      "a lockfile alone": { "deno.lock": "{}", "mod.ts": "" },
      "Fresh with a build": {
        "deno.json": '{ "tasks": { "build": "deno run -A dev.ts build", "start": "deno run -A main.ts" } }',
        "fresh.config.ts": "",
        "main.ts": "",
      },
      "a start task beside package.json": {
        "deno.json": '{ "tasks": { "start": "deno run -A main.ts" } }',
        "main.ts": "",
        "package.json": "{}",
      },
    },
    negative: [
      [
        "a Node program that uses its formatter",
        "node",
        { "deno.json": "{}", "package.json": { scripts: { start: "node x" } } },
      ],
      ["a library", "no_start_command", { "deno.json": "{}", "lib.ts": "" }],
    ],
  },
  dotnet: {
    positive: {
      "one web project": {
        "Shop.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFramework>net8.0</TargetFramework>',
      },
      "a web project below": {
        "Shop.sln": "",
        "Shop/Shop.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFramework>net9.0</TargetFramework>',
      },
      "the web project of several": {
        "src/Core/Core.csproj": '<Project Sdk="Microsoft.NET.Sdk">',
        "src/Web/Web.csproj":
          '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFrameworks>net8.0;net9.0</TargetFrameworks>',
      },
      "its own assembly name": {
        "A.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><AssemblyName>shop</AssemblyName>',
      },
      "a console program": {
        "A.csproj": "<OutputType>Exe</OutputType><TargetFramework>net6.0</TargetFramework>",
      },
      "F# with a space in its name": {
        "My Shop.fsproj": '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFramework>net10.0</TargetFramework>',
      },
    },
    negative: [
      ["a library", "nothing_detected", { "Lib.csproj": '<Project Sdk="Microsoft.NET.Sdk">' }],
      [
        "two programs and no web project",
        "nothing_detected",
        { "a/A.csproj": "<OutputType>Exe", "b/B.csproj": "<OutputType>Exe" },
      ],
    ],
  },
  elixir: {
    positive: {
      "a plain application": { "mix.exs": 'app: :plain, elixir: "~> 1.16"' },
      "Phoenix with assets and migrations": {
        "mix.exs": 'app: :my_shop, elixir: "~> 1.14", "assets.deploy": [], {:phoenix, "~> 1.7"}',
        "mix.lock": "%{}",
        "config/config.exs": "",
        "priv/repo/migrations/1_a.exs": "",
        "lib/my_shop/release.ex": "",
      },
      "Phoenix without a release module": {
        "mix.exs": "app: :shop, {:phoenix, 1}",
        "mix.lock": "",
        "priv/repo/migrations/1.exs": "",
      },
      "a version by .tool-versions": {
        "mix.exs": "app: :a",
        ".tool-versions": "erlang 26.2\nelixir 1.17.3-otp-26\n",
      },
      "Node at the root": {
        "mix.exs": "app: :a, {:phoenix, 1}",
        "mix.lock": "",
        "package.json": { scripts: { build: "x" } },
        "package-lock.json": "{}",
      },
      "a worker beside": { "mix.exs": "app: :a", Procfile: "worker: bin/a eval Work.run" },
    },
    negative: [
      ["a script", "nothing_detected", { "run.exs": "" }],
      ["a Dockerfile of its own", "dockerfile", { "mix.exs": "app: :a", Dockerfile: "FROM x" }],
    ],
  },
  site: {
    positive: {
      Hugo: { "hugo.toml": "", "content/a.md": "" },
      "Hugo with the old name and a pinned version": {
        "config.toml": "",
        "content/a.md": "",
        "layouts/x": "",
        "netlify.toml": 'HUGO_VERSION = "0.140.1"',
      },
      MkDocs: { "mkdocs.yml": "", "docs/index.md": "" },
      "MkDocs with its packages": { "mkdocs.yml": "", "docs/requirements.txt": "mkdocs-material" },
      Jekyll: { Gemfile: 'gem "jekyll"', "Gemfile.lock": "", "_config.yml": "" },
      "Jekyll for GitHub": { Gemfile: 'gem "github-pages"', "_config.yml": "" },
    },
    negative: [
      ["a config.toml of something else", "nothing_detected", { "config.toml": "", "content/a": "" }],
      ["_config.yml without Jekyll", "static", { "_config.yml": "", "index.html": "" }],
    ],
  },
  generic: {
    positive: {
      "a script": { Procfile: "web: sh serve.sh", "serve.sh": "" },
      "a program": { Procfile: "web: ./server --port $PORT", server: "" },
      "a program with a page": { Procfile: "web: ./server", "index.html": "" },
      "web and worker": { Procfile: "web: ./a\nworker: ./b" },
      "a release command": { Procfile: "web: ./a\nrelease: ./migrate" },
      "a worker alone": { Procfile: "worker: ./b" },
    },
    negative: [
      ["a Procfile beside a language", "go", { Procfile: "web: ./a", "go.mod": "module x" }],
      ["no Procfile", "nothing_detected", { "serve.sh": "" }],
    ],
  },
};

for (const [provider, { positive, negative }] of Object.entries(CASES)) {
  describe(provider, () => {
    test.each(Object.keys(positive))(`${provider} plans %s`, async (name) => {
      expect(await outcomeOf(positive[name]!)).toBe(provider);
      expect(await described(positive[name]!)).toMatchSnapshot();
    });

    test.each(negative)(`${provider} leaves alone: %s`, async (_, outcome, files) => {
      expect(await outcomeOf(files)).toBe(outcome);
    });
  });
}
