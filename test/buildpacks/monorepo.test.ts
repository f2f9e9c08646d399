import { expect, test } from "bun:test";
import { dockerfileOf, type Files, planOf } from "./plan-of.ts";

const NODE: Files = {
  "package.json": { workspaces: ["apps/*", "packages/*"], devDependencies: { turbo: "2" } },
  "package-lock.json": "{}",
  "apps/web/package.json": {
    scripts: { build: "next build", start: "next start" },
    dependencies: { next: "16" },
  },
  "apps/api/package.json": { scripts: { start: "node server.js" }, engines: { node: "22" } },
  "apps/api/server.js": "",
  "packages/ui/package.json": { name: "ui" },
};

test("node sees the whole workspace around a member, and starts in the member's place", async () => {
  const plan = await planOf(NODE, {}, "apps/api");
  expect(plan).toMatchObject({
    provider: "node",
    context: "",
    directory: "apps/api",
    ignore: ["**/node_modules"],
  });
  expect(plan.processes.web!.command).toEqual(["node", "server.js"]);
  expect(plan.versions.node!.value).toBe("22");
  const text = await dockerfileOf(NODE, "apps/api");
  expect(text).toContain("COPY packages/ui/package.json ./packages/ui/");
  expect(text).toContain("WORKDIR /app/apps/api\n");
});

test("node builds a member with those it rests on, by turbo or by pnpm", async () => {
  expect(await dockerfileOf(NODE, "apps/web")).toContain("turbo run build --filter=./apps/web");
  const { "package.json": _, "package-lock.json": __, ...members } = NODE;
  const pnpm = {
    ...members,
    "package.json": "{}",
    "pnpm-workspace.yaml": "packages: ['apps/*', 'packages/*']",
    "pnpm-lock.yaml": "lockfileVersion: '9.0'",
  };
  expect(await dockerfileOf(pnpm, "apps/web")).toContain("pnpm --filter ./apps/web... run build");
});

test("node takes a directory that no workspace names for itself", async () => {
  const plan = await planOf(
    { ...NODE, "tools/x/package.json": { scripts: { start: "node x.js" } } },
    {},
    "tools/x",
  );
  expect(plan).toMatchObject({ context: null, directory: "" });
});

test("node installs from the whole tree where patterns or members' scripts cannot be followed", async () => {
  const member = { "apps/a/package.json": { scripts: { start: "node x.js", postinstall: "make" } } };
  for (const [workspaces, files] of [
    [["apps/!(old)"], {}],
    [["apps/*"], member],
  ] as [string[], Files][]) {
    const text = await dockerfileOf({
      "package.json": { workspaces, scripts: { start: "node a.js" } },
      ...files,
    });
    expect(text.split("COPY . ./").length).toBe(2);
    expect(text.indexOf("COPY . ./")).toBeLessThan(text.indexOf("npm install"));
  }
});

const GO: Files = {
  "go.mod": "module example.org/all\n\ngo 1.26\n",
  "go.sum": "",
  "services/mail/main.go": "package main",
  "services/mail/templates/a.html": "",
  "services/web/main.go": "package main",
};

test("go builds a program's directory inside the module around it", async () => {
  const plan = await planOf(GO, {}, "services/mail");
  expect(plan).toMatchObject({ provider: "go", context: "", directory: "services/mail" });
  expect(plan.processes.web!.command).toEqual(["/app/bin/mail"]);
  const text = await dockerfileOf(GO, "services/mail");
  expect(text).toContain("-o /out/mail ./services/mail");
  expect(text).toContain("COPY services/mail/templates/ ./services/mail/templates/");
  expect(text).not.toContain("services/web");
});

test("go builds the modules of a go.work, each manifest first", async () => {
  const files = {
    "go.work": "go 1.26\n\nuse (\n\t./api // web\n\t./lib\n)\n",
    "api/go.mod": "module example.org/api\ngo 1.26\n",
    "api/main.go": "package main",
    "lib/go.mod": "module example.org/lib\ngo 1.26\n",
    "lib/lib.go": "package lib",
  };
  const plan = await planOf(files);
  expect(plan.processes.web!.command).toEqual(["/app/bin/api"]);
  expect(await dockerfileOf(files)).toContain("COPY lib/go.mod ./lib/");
  expect(await planOf(files, {}, "api")).toMatchObject({ context: "", directory: "api" });
});

const CARGO: Files = {
  "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
  "Cargo.lock": "",
  "crates/core/Cargo.toml": '[package]\nname = "core"\n',
  "crates/core/src/lib.rs": "",
  "crates/site/Cargo.toml": '[package]\nname = "site"\n[dependencies]\naxum = "0.8"\n',
  "crates/site/src/main.rs": "",
  "crates/seed/Cargo.toml": '[package]\nname = "seed"\n',
  "crates/seed/src/main.rs": "",
};

test("rust starts the member that depends on a web framework", async () => {
  const plan = await planOf(CARGO);
  expect(plan.processes.web!.command).toEqual(["/app/bin/site"]);
  expect(plan.framework!.value).toBe("Axum");
});

test("rust builds a member's own program inside the workspace around it", async () => {
  const plan = await planOf(CARGO, {}, "crates/seed");
  expect(plan).toMatchObject({ provider: "rust", context: "", directory: "crates/seed", ignore: ["target"] });
  expect(await dockerfileOf(CARGO, "crates/seed")).toContain("--package seed --bin seed &&");
});
