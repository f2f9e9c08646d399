import { expect, test } from "bun:test";
import { described, type Files, outcomeOf, planOf } from "./plan-of.ts";

const NPM = { "package-lock.json": "{}" };

const POSITIVE: Record<string, Files> = {
  "Express with npm and engines": {
    "package.json": {
      engines: { node: ">=20 <23" },
      scripts: { start: "node server.js" },
      dependencies: { express: "4" },
    },
    "server.js": "",
    ...NPM,
  },
  "Fastify in TypeScript with pnpm": {
    "package.json": {
      packageManager: "pnpm@9.12.3+sha512.abc",
      scripts: { build: "tsc", start: "node dist/server.js" },
      dependencies: { fastify: "5" },
      devDependencies: { typescript: "5" },
    },
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    ".nvmrc": "v22.3.0\n",
  },
  "Nest with yarn classic": {
    "package.json": {
      scripts: { build: "nest build", start: "nest start", "start:prod": "node dist/main" },
      dependencies: { "@nestjs/core": "10" },
      devDependencies: { "@nestjs/cli": "10" },
    },
    "yarn.lock": "# yarn lockfile v1\n",
  },
  "Next with yarn berry": {
    "package.json": {
      scripts: { build: "next build", start: "next start" },
      dependencies: { next: "15", react: "19" },
    },
    "yarn.lock": "__metadata:\n  version: 8\n",
    ".yarnrc.yml": "nodeLinker: pnp\n",
    ".node-version": "lts/iron",
  },
  "Next standalone": {
    "package.json": { scripts: { build: "next build", start: "next start" }, dependencies: { next: "15" } },
    "next.config.mjs": "export default { output: 'standalone' }",
    "public/robots.txt": "",
    ...NPM,
  },
  "Bun with hono": {
    "package.json": { scripts: { start: "bun src/index.ts" }, dependencies: { hono: "4" } },
    "bun.lock": "{}",
  },
  "Vite with its own output directory": {
    "package.json": {
      scripts: { dev: "vite", build: "vite build", start: "vite preview" },
      devDependencies: { vite: "6" },
    },
    "vite.config.ts": "export default { build: { outDir: './public_html/' } }",
    ...NPM,
  },
  "Astro, a page per path": {
    "package.json": { scripts: { build: "astro build", start: "astro dev" }, dependencies: { astro: "5" } },
    ...NPM,
  },
  "no packages, worker beside web": {
    "package.json": { engines: { node: "22" } },
    Procfile: "web: node web.js --port $PORT\nworker: node worker.js\nrelease: node migrate.js",
  },
  "install scripts that need the tree": {
    "package.json": {
      scripts: { postinstall: "prisma generate", build: "tsc", start: "node -r dotenv/config dist/x.js" },
      dependencies: { prisma: "5" },
      devDependencies: { typescript: "5" },
    },
    ...NPM,
  },
  "a workspace with one app, by turbo": {
    "package.json": {
      workspaces: ["apps/*", "packages/*"],
      scripts: { build: "turbo run build" },
      devDependencies: { turbo: "2" },
    },
    "apps/web/package.json": {
      scripts: { build: "next build", start: "next start" },
      dependencies: { next: "15", ui: "*" },
    },
    "packages/ui/package.json": { name: "ui", main: "index.js" },
    ...NPM,
  },
  "a workspace of pnpm with one site": {
    "package.json": { packageManager: "pnpm@10.1.0" },
    "pnpm-workspace.yaml": "packages:\n  - 'sites/*'\n",
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    "sites/docs/package.json": { scripts: { build: "vite build" }, devDependencies: { vite: "6" } },
  },
  "a start script with a tool of development, and shell": {
    "package.json": {
      scripts: { start: "NODE_ENV=production tsx server.ts" },
      devDependencies: { tsx: "4" },
    },
    ...NPM,
  },
};

test.each(Object.keys(POSITIVE))("node plans %s", async (name) => {
  expect(await described(POSITIVE[name]!)).toMatchSnapshot();
});

const META: [string, Files, string, string | null][] = [
  [
    "Nuxt",
    { "package.json": { scripts: { build: "nuxt build" }, dependencies: { nuxt: "3" } } },
    "node .output/server/index.mjs",
    null,
  ],
  [
    "Nuxt",
    { "package.json": { scripts: { build: "nuxt generate" }, dependencies: { nuxt: "3" } } },
    "",
    ".output/public",
  ],
  [
    "SvelteKit",
    {
      "package.json": {
        scripts: { build: "vite build" },
        devDependencies: { vite: "6", "@sveltejs/kit": "2", "@sveltejs/adapter-node": "5" },
      },
    },
    "node build",
    null,
  ],
  [
    "SvelteKit",
    {
      "package.json": {
        scripts: { build: "vite build" },
        devDependencies: { vite: "6", "@sveltejs/kit": "2", "@sveltejs/adapter-static": "3" },
      },
    },
    "",
    "build",
  ],
  [
    "React Router",
    {
      "package.json": {
        scripts: { build: "react-router build", start: "react-router-serve ./build/server/index.js" },
        devDependencies: { "@react-router/dev": "7", vite: "6" },
        dependencies: { "@react-router/serve": "7" },
      },
    },
    "react-router-serve ./build/server/index.js",
    null,
  ],
  [
    "Remix",
    { "package.json": { scripts: { build: "remix build" }, dependencies: { "@remix-run/serve": "2" } } },
    "remix-serve ./build/server/index.js",
    null,
  ],
  [
    "Angular",
    {
      "package.json": {
        scripts: { build: "ng build", start: "ng serve" },
        dependencies: { "@angular/core": "19" },
      },
      "angular.json": {
        projects: {
          shop: { architect: { build: { builder: "@angular-devkit/build-angular:application" } } },
        },
      },
    },
    "",
    "dist/shop/browser",
  ],
  [
    "Astro (server)",
    {
      "package.json": {
        scripts: { build: "astro build", start: "astro dev" },
        dependencies: { astro: "5", "@astrojs/node": "9" },
      },
      "astro.config.mjs": "import node from '@astrojs/node'; export default { adapter: node() }",
    },
    "node dist/server/entry.mjs",
    null,
  ],
];

test.each(META)("node knows what %s leaves behind", async (name, files, start, root) => {
  const plan = await planOf({ ...files, ...NPM });
  expect(plan.framework!.value).toBe(name);
  expect(plan.static?.root.value ?? null).toBe(root);
  if (root === null) expect(plan.processes.web!.command!.join(" ")).toBe(start);
});

test("node chooses no app of a workspace that has several", async () => {
  const start = { scripts: { start: "node x.js" } };
  const files = {
    "package.json": { workspaces: ["apps/*"] },
    "apps/a/package.json": start,
    "apps/b/package.json": start,
  };
  expect(await outcomeOf(files)).toBe("no_start_command");
  expect(await outcomeOf({ ...files, Procfile: "web: node apps/a/x.js" })).toBe("node");
});

test("node says what SvelteKit lacks", async () => {
  const files = {
    "package.json": {
      scripts: { build: "vite build" },
      devDependencies: { "@sveltejs/kit": "2", vite: "6" },
    },
  };
  expect(await outcomeOf(files)).toBe("no_start_command");
});

test("node leaves the trees of Rails, Django, Laravel and Phoenix alone", async () => {
  const pkg = { "package.json": { scripts: { build: "vite build", start: "vite" } } };
  for (const mark of ["config/application.rb", "manage.py", "artisan", "mix.exs"]) {
    expect(await outcomeOf({ ...pkg, [mark]: "" })).not.toBe("node");
  }
});

test("node leaves a plain site with a package.json for its tools to static", async () => {
  expect(await outcomeOf({ "package.json": { devDependencies: { prettier: "3" } }, "index.html": "" })).toBe(
    "static",
  );
  expect(await outcomeOf({ "package.json": { main: "server.js" }, "server.js": "", "index.html": "" })).toBe(
    "node",
  );
});

test("node without a start command says so, and a broken package.json is named", async () => {
  expect(await outcomeOf({ "package.json": { dependencies: { lodash: "4" } } })).toBe("no_start_command");
  expect(await outcomeOf({ "package.json": "{,}" })).toBe("nothing_detected");
});

test.each([
  ["18", "18"],
  [">=18", "26"],
  ["^20.9.0 || >=22.1.0", "26"],
  ["20.x", "20"],
  ["22.3.0", "22"],
  ["~22.3", "22"],
  ["<=20", "20"],
  ["lts/*", "26"],
  ["lts/jod", "22"],
  ["*", "26"],
  ["v26.1.0", "26"],
  ["something", "26"],
])("engines.node %s means Node %s", async (range, version) => {
  const plan = await planOf({
    "package.json": { engines: { node: range }, main: "index.js" },
    "index.js": "",
  });
  expect(plan.versions.node!.value).toBe(version);
  expect(plan.build_image!.value).toBe(`node:${version}-bookworm-slim`);
});

test("a Procfile's web makes a program of a bundler's output", async () => {
  const plan = await planOf({
    ...POSITIVE["Vite with its own output directory"]!,
    Procfile: "web: npx serve public_html",
  });
  expect(plan.static).toBeNull();
  expect(plan.processes.web!.command).toEqual(["sh", "-c", "npx serve public_html"]);
});

test("build arguments and secrets reach building stages only, secrets by mounts", async () => {
  const files = POSITIVE["Fastify in TypeScript with pnpm"]!;
  const text = await described(files, { args: { VITE_API: "x" }, secrets: { NPM_TOKEN: "canary" } });
  expect(text).toContain("--mount=type=secret,id=NPM_TOKEN");
  expect(text).toContain("ARG VITE_API");
  expect(text).not.toContain("canary");
  expect(text.slice(text.indexOf("AS run"))).not.toMatch(/NPM_TOKEN|VITE_API/);
  expect(await outcomeOf(files, { args: { "A B": "x" } })).toBe("invalid");
  expect(await outcomeOf(files, { secrets: { "x,target=/": "x" } })).toBe("invalid");
});
