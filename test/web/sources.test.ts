import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { conflict } from "../../src/errors.ts";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { deployment, part, startWebBox, type WebBox } from "./web-box.ts";

const CANARY = "canary-9f3b-password";
let web: WebBox;
let server: GitServer;
let refusal: Error | null = null;

beforeAll(async () => {
  server = await serveRepositories({ credentials: { username: "ada", password: CANARY } });
  await server.commit("secret", {
    "index.html": "<h1>hello</h1>",
    ".env.example": "# What it says\nGREETING=hello\nAPI_TOKEN=\n",
  });
  web = await startWebBox({
    deployments: {
      deploy: (input: unknown) => {
        if (refusal) throw refusal;
        web.asked.push({ what: "deploy", input });
        return deployment;
      },
      ofConfigChange: () => null,
      list: () => [],
    },
  });
});
beforeEach(() => {
  web.asked.length = 0;
  refusal = null;
});
afterAll(async () => {
  await Promise.all([web[Symbol.asyncDispose](), server.stop()]);
});

const lastCredential = () => (web.asked.at(-1)!.input as { credential?: unknown }).credential;
const sealedIn = (html: string) => /name="sealed_credential" value="([\w-]+)"/.exec(html)?.[1] ?? "";

describe("a private repository over https on /apps/new", () => {
  test("asks for what opens it, looks, and brings the credential to the deployment without showing it", async () => {
    const repo_url = server.url("secret");
    const refused = await web.post("/apps/new/look", { repo_url });
    expect(refused.status).toBe(422);
    const form = await refused.text();
    expect(form).toContain('name="github_token" type="password"');
    expect(form).not.toContain("<summary>It is private");

    const looked = await web.post("/apps/new/look", { repo_url, username: "ada", password: CANARY });
    const page = await looked.text();
    expect(looked.status).toBe(200);
    expect(page).toContain("index.html");
    expect(page).toContain('name="env:GREETING" type="text" value="hello"');
    expect(page).toContain('name="env:API_TOKEN" type="password"');
    expect(page).not.toContain(CANARY);

    const fields = { repo_url, name: "secret", sealed_credential: sealedIn(page) };
    expect((await web.post("/apps/new", fields)).status).toBe(303);
    expect(web.asked[0]?.input).toMatchObject({ credential: { username: "ada", password: CANARY } });
  });

  test("keeps it over a refusal, and takes it from nobody else and no other text", async () => {
    const repo_url = server.url("secret");
    const looked = await web.post("/apps/new/look", { repo_url, username: "ada", password: CANARY });
    const sealed_credential = sealedIn(await looked.text());
    refusal = conflict("app_source_differs", "another source");
    const page = await (
      await web.post("/apps/new", { repo_url, name: "secret", sealed_credential }, part)
    ).text();
    expect(page).not.toContain(CANARY);
    expect(page).toContain("index.html");
    refusal = null;
    // The first letter: of the last one some bits mean nothing.
    const altered = sealed_credential.replace(/^./, (letter) => (letter === "A" ? "B" : "A"));
    for (const forged of ["AAAA", altered]) {
      await web.post("/apps/new", { repo_url, name: "secret", sealed_credential: forged });
      expect(lastCredential()).toBeUndefined();
    }
    const other = await fetch(`${web.box.url}/apps/new`, {
      method: "POST",
      headers: { cookie: web.box.cookie(), origin: web.box.url },
      body: new URLSearchParams({ repo_url, name: "secret", sealed_credential }),
      redirect: "manual",
    });
    expect(other.status).toBe(303);
    expect(lastCredential()).toBeUndefined();
  });
});

describe("a repository over ssh on /apps/new", () => {
  const repo_url = "git@github.com:you/blog.git";

  test("shows the app's key before anything is fetched, and says where it goes", async () => {
    const first = await (await web.post("/apps/new/look", { repo_url })).text();
    expect(first).toContain('action="/apps/new/key"');
    expect(first).toContain('value="blog"');
    const made = await (await web.post("/apps/new/key", { repo_url, name: "blog" })).text();
    const { public_key } = await (await web.get("/api/v1/apps/blog/deploy-key")).json();
    expect(public_key).toMatch(/^ssh-ed25519 \S+ diplo-blog$/);
    expect(made).toContain(public_key);
    expect(made).toContain('href="https://github.com/you/blog/settings/keys/new"');
    expect(made).toContain('name="app" value="blog"');
  });
});

describe("the source on an app's settings page", () => {
  test("shows the key, makes another, keeps and forgets a credential without showing it", async () => {
    const made = await web.post("/apps/blog/deploy-key", {}, part);
    expect(made.status).toBe(200);
    const before = await (await web.get("/api/v1/apps/blog/deploy-key")).json();
    expect(await made.text()).toContain(before.public_key);
    await web.post("/apps/blog/deploy-key", { replace: "1" });
    const after = await (await web.get("/api/v1/apps/blog/deploy-key")).json();
    expect(after.fingerprint).not.toBe(before.fingerprint);

    const wrong = await web.post("/apps/blog/credential", { github_token: CANARY }, part);
    expect(wrong.status).toBe(422);
    expect(await wrong.text()).not.toContain(CANARY);
    await web.box.parts.environments.setSource(web.box.parts.environments.find("blog").id, {
      kind: "git",
      repo_url: "https://git.example/you/blog",
      branch: null,
      tag: null,
      commit: null,
      subdirectory: "",
    });
    const kept = await web.post("/apps/blog/credential", { github_token: CANARY }, part);
    expect(kept.status).toBe(200);
    const page = await kept.text();
    expect(page).toContain("https://git.example");
    expect(page).not.toContain(CANARY);
    await web.post("/apps/blog/credential/remove", { origin: "https://git.example" });
    expect(await (await web.get("/api/v1/apps/blog/credentials")).json()).toEqual([]);
  });

  test("saves the watched and ignored paths, a pattern a line", async () => {
    const fields = { watch_paths: "site\r\n\r\n shared/** \r\n", ignore_paths: "", path_filter: "loose" };
    expect((await web.post("/apps/blog/watch", fields)).status).toBe(303);
    expect(web.asked.at(-1)).toEqual({
      what: "change",
      input: {
        ref: "blog",
        changes: { watch_paths: ["site", "shared/**"], ignore_paths: [], path_filter: "loose" },
      },
    });
    const wrong = await web.post("/apps/blog/watch", { ...fields, watch_paths: "x".repeat(300) }, part);
    expect(wrong.status).toBe(422);
    expect(await wrong.text()).toContain("x".repeat(300));
  });
});
