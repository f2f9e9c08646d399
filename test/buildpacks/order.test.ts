import { expect, test } from "bun:test";
import { providers } from "../../buildpacks/index.ts";
import { type Files, outcomeOf } from "./plan-of.ts";

const PACKAGE = { "package.json": { scripts: { build: "vite build" }, devDependencies: { vite: "7" } } };
const PROGRAM = { "package.json": { scripts: { start: "node server.js" } }, "server.js": "" };
const FLASK = { "requirements.txt": "flask", "app.py": "app = Flask(__name__)" };

test("providers are asked in this order", () => {
  expect(providers.map(({ name }) => name)).toEqual([
    "site",
    "php",
    "java",
    "deno",
    "dotnet",
    "elixir",
    "ruby",
    "rust",
    "go",
    "python",
    "node",
    "static",
    "generic",
  ]);
});

/** Trees that show more than one kind of program, and whose they are. */
const MIXED: [string, string, Files][] = [
  ["Rails with a package.json", "ruby", { ...PACKAGE, Gemfile: 'gem "rails"', "config/application.rb": "" }],
  ["Django with a package.json", "python", { ...PROGRAM, "manage.py": "", "site/wsgi.py": "" }],
  [
    "Laravel with a package.json",
    "php",
    { ...PROGRAM, "composer.json": "{}", artisan: "", "public/index.php": "" },
  ],
  ["Phoenix with a package.json", "elixir", { ...PACKAGE, "mix.exs": "app: :a, {:phoenix, 1}" }],
  ["Flask with styles that Node builds", "python", { ...PACKAGE, ...FLASK }],
  ["Flask beside a Node program", "node", { ...PROGRAM, ...FLASK }],
  ["a site of Vite with a script in Python", "node", { ...PACKAGE, "main.py": "print()" }],
  ["Node with composer for a tool", "node", { ...PROGRAM, "composer.json": "{}" }],
  ["PHP with an index.html beside", "php", { "index.php": "", "index.html": "" }],
  ["Spring with its own front end", "java", { ...PROGRAM, "pom.xml": "spring-boot" }],
  [
    "Go with a page and styles",
    "go",
    { ...PACKAGE, "go.mod": "module x", "main.go": "package main", "index.html": "" },
  ],
  [
    "Rust with a package.json for its front end",
    "rust",
    { ...PACKAGE, "Cargo.toml": '[package]\nname = "x"', "src/main.rs": "" },
  ],
  [
    "Deno beside a package.json",
    "deno",
    { "package.json": "{}", "deno.json": '{"tasks":{"start":"deno run m.ts"}}' },
  ],
  ["papers of an app in Django", "python", { "mkdocs.yml": "", "manage.py": "", "site/wsgi.py": "" }],
  [
    "papers of an app in FastAPI",
    "python",
    { "mkdocs.yml": "", "requirements.txt": "fastapi", "main.py": "app = FastAPI()" },
  ],
  ["papers of a program in Go", "go", { "mkdocs.yml": "", "go.mod": "module x", "main.go": "package main" }],
  ["papers by themselves", "site", { "mkdocs.yml": "", "requirements.txt": "mkdocs-material" }],
  [
    "Jekyll with a package.json for its tools",
    "site",
    { ...PACKAGE, Gemfile: 'gem "jekyll"', "_config.yml": "" },
  ],
  ["Jekyll without a Gemfile", "site", { "_config.yml": "", "_posts/a.md": "" }],
  ["Hugo with PostCSS", "site", { ...PACKAGE, "hugo.toml": "", "content/a.md": "" }],
  ["a page with a Procfile", "generic", { "index.html": "", Procfile: "web: ./serve" }],
  ["a page with a worker", "static", { "index.html": "", Procfile: "worker: ./work" }],
  ["a Dockerfile beside everything", "dockerfile", { ...PROGRAM, ...FLASK, Dockerfile: "FROM x" }],
];

test.each(MIXED)("%s is decided for %s, the same way every time", async (_, provider, files) => {
  const shuffled = Object.fromEntries(Object.entries(files).toReversed());
  for (const tree of [files, shuffled, files]) expect(await outcomeOf(tree)).toBe(provider);
});
