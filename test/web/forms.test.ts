import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { conflict, invalid } from "../../src/errors.ts";
import { deployment, part, startWebBox, type WebBox } from "./web-box.ts";

let web: WebBox;
const found = {
  repo_url: "https://git.example/you/blog",
  suggested_name: "blog",
  branch: "main",
  branches: ["main"],
  commit: null,
  provider: "node",
  findings: [],
  config: [{ name: "GREETING", value: "hello", description: "", required: false }],
  warnings: [],
};
let refusal: Error | null = null;

beforeAll(async () => {
  web = await startWebBox({
    deployments: {
      deploy: (input: unknown) => {
        if (refusal) throw refusal;
        web.asked.push({ what: "deploy", input });
        return deployment;
      },
      ofConfigChange: () => null,
      get: () => deployment,
      list: () => [],
    },
  });
});
beforeEach(() => {
  web.asked.length = 0;
  refusal = null;
});
afterAll(() => web[Symbol.asyncDispose]());

const value = async (name: string) => (await web.get(`/api/v1/apps/blog/env/${name}`)).json();

describe("POST /apps/new", () => {
  const form = {
    repo_url: found.repo_url,
    name: "blog",
    branch: "",
    "env:GREETING": "pa$$ 'w'",
    "env:EMPTY": "",
    extra: "A=1\r\nB='two\r\nlines'",
  };

  test("deploys with what was typed and leads to the deployment", async () => {
    const answer = await web.post("/apps/new", form);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, `/deployments/${deployment.id}`]);
    const env_vars = [
      { name: "GREETING", value: "pa$$ 'w'" },
      { name: "A", value: "1" },
      { name: "B", value: "two\nlines" },
    ];
    expect(web.asked[0]?.input).toMatchObject({
      repo_url: found.repo_url,
      name: "blog",
      env_vars,
      wait: false,
    });
    const htmx = await web.post("/apps/new", form, part);
    expect([htmx.status, htmx.headers.get("hx-redirect")]).toEqual([200, `/deployments/${deployment.id}`]);
  });

  test("answers 422 with the same form, its values, and the error beside the field", async () => {
    refusal = invalid("name", "must be a DNS label");
    const answer = await web.post("/apps/new", { ...form, name: "No Label" }, part);
    const html = await answer.text();
    expect(answer.status).toBe(422);
    expect(html).toStartWith('<div id="page"');
    expect(html).toContain('value="No Label"');
    expect(html).toContain("Must be a DNS label");
    expect(html).toContain("pa$$ &#39;w&#39;".replaceAll("&#39;", "&#x27;"));
    expect(html).toContain('aria-invalid="true"');
  });

  test("offers to replace the source when the name belongs to another", async () => {
    refusal = conflict("app_source_differs", "blog is deployed from another source");
    const html = await (await web.post("/apps/new", form, part)).text();
    expect(html).toContain('name="replace_source"');
  });
});

describe("POST /apps/:app/config", () => {
  test("saves a value byte for byte, with LF where a native form sends CRLF", async () => {
    const typed = "pa$$word \"quoted\" 'single' ünïcode\r\nsecond=line\r\n";
    const answer = await web.post("/apps/blog/config", { name: "SECRET", value: typed });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/apps/blog/config"]);
    expect((await value("SECRET")).value).toBe(typed.replaceAll("\r\n", "\n"));
  });

  test("saves a value of 100 KB", async () => {
    const large = "ü€x".repeat(17_000);
    expect((await web.post("/apps/blog/config", { name: "LARGE", value: large })).status).toBe(303);
    expect((await value("LARGE")).value).toBe(large);
  });

  test("says so in place and offers the way back, which no page shows the value of", async () => {
    await web.post("/apps/blog/config", { name: "COLOUR", value: "dark red" });
    const html = await (await web.post("/apps/blog/config", { name: "COLOUR", value: "blue" }, part)).text();
    expect(html).toContain("COLOUR is saved.");
    expect(html).not.toContain("dark red");
    expect(html).toContain('name="version" value="1"');
    await web.post("/apps/blog/config/undo", { name: "COLOUR", version: "1" }, part);
    expect((await value("COLOUR")).value).toBe("dark red");
    const removed = await (await web.post("/apps/blog/config/unset", { name: "COLOUR" }, part)).text();
    expect(removed).toContain("COLOUR is removed.");
    await web.post("/apps/blog/config/undo", { name: "COLOUR", version: "3" }, part);
    expect((await value("COLOUR")).value).toBe("dark red");
  });

  test("undoes the first value by removing it", async () => {
    await web.post("/apps/blog/config", { name: "FRESH", value: "1" });
    await web.post("/apps/blog/config/undo", { name: "FRESH", version: "0" });
    expect((await web.get("/api/v1/apps/blog/env/FRESH")).status).toBe(404);
  });

  test("answers 422 with what was typed for a name that is none", async () => {
    const answer = await web.post("/apps/blog/config", { name: "NO NAME", value: "typed" }, part);
    const html = await answer.text();
    expect(answer.status).toBe(422);
    expect(html).toContain('value="NO NAME"');
    expect(html).toContain("typed</textarea>");
    expect(html).toContain('class="error"');
  });

  test("masks values until they are revealed, which the audit notes", async () => {
    await web.post("/apps/blog/config", { name: "HIDDEN", value: "s3cret-value" });
    expect(await (await web.get("/apps/blog/config")).text()).not.toContain("s3cret-value");
    const row = await (await web.post("/apps/blog/config/reveal", { name: "HIDDEN" }, part)).text();
    expect(row).toStartWith('<tr id="var-HIDDEN"');
    expect(row).toContain("s3cret-value");
    const noted = web.box.parts.store.all<{ action: string; detail: string }>(
      "select action, detail from audit",
    );
    expect(noted.some(({ action }) => action === "config.revealed")).toBe(true);
    expect(JSON.stringify(noted)).not.toContain("s3cret-value");
  });
});

describe("POST /apps/:app/config/preview", () => {
  test("shows what saving would change and saves nothing", async () => {
    await web.post("/apps/blog/config/file", { dotenv: "KEEP=1\nCHANGE=old\nDROP=x\n" });
    const html = await (
      await web.post("/apps/blog/config/preview", { dotenv: "KEEP=1\nCHANGE=new\nADD=y\n" }, part)
    ).text();
    expect(html).toContain("3 changes");
    for (const words of ["<del>old</del>", "<ins>new</ins>", "<ins>y</ins>", "<del>x</del>"])
      expect(html).toContain(words);
    expect((await value("CHANGE")).value).toBe("old");
  });

  test("names the line that cannot be read and keeps the text", async () => {
    const answer = await web.post("/apps/blog/config/preview", { dotenv: "A=1\nwhat is this" }, part);
    const html = await answer.text();
    expect(answer.status).toBe(422);
    expect(html.toLowerCase()).toContain("line 2 is not name=value");
    expect(html).toContain("what is this</textarea>");
  });
});

describe("POST /apps/:app/settings", () => {
  test("asks for what differs, nested and null where a field was emptied", async () => {
    await web.post(
      "/apps/blog/settings",
      { "health.path": "/up", "limits.memory": "1g", port: "", drain_s: "5" },
      part,
    );
    expect(web.asked.find(({ what }) => what === "change")?.input).toEqual({
      ref: "blog",
      changes: { health: { path: "/up" }, limits: { memory: "1g" }, drain_s: 5 },
    });
  });

  test("answers 422 beside the field and keeps every value", async () => {
    const answer = await web.post(
      "/apps/blog/settings",
      { "limits.memory": "lots", "health.path": "/up" },
      part,
    );
    const html = await answer.text();
    expect(answer.status).toBe(422);
    expect(html).toContain('value="lots"');
    expect(html).toContain('value="/up"');
    expect(html).toContain('id="f-limits.memory-error"');
  });
});

test("POST /apps/:app/destroy passes on the typed name", async () => {
  const answer = await web.post("/apps/blog/destroy", { confirm: "blog", destroy_data: "1" });
  expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
  expect(web.asked).toEqual([
    { what: "destroy", input: { app: "blog", confirm: "blog", destroy_data: true } },
  ]);
});

test("POST /box/tokens shows the secret once", async () => {
  const html = await (
    await web.post("/box/tokens", { name: "ci", scope: "deploy", expires_in_days: "30" })
  ).text();
  const secret = /dpl_[\w-]{20,}/.exec(html)?.[0] as string;
  expect(secret).toBeTruthy();
  const later = await (await web.get("/box/tokens")).text();
  expect(later).toContain("ci");
  expect(later).not.toContain(secret);
});

test("POST /apps/new/image deploys an image, and gives a refused one back with the way on", async () => {
  const fields = { image: "ghcr.io/you/app:1.2", name: "app", port: "3000" };
  const answer = await web.post("/apps/new/image", fields);
  expect(answer.status).toBe(303);
  expect(web.asked).toEqual([
    { what: "deploy", input: { image: "ghcr.io/you/app:1.2", name: "app", port: 3000, wait: false } },
  ]);
  refusal = conflict("app_source_differs", "app is deployed from another source");
  const html = await (await web.post("/apps/new/image", fields)).text();
  refusal = invalid("image", "is not the name of an image");
  const other = await (await web.post("/apps/new/image", fields)).text();
  refusal = null;
  expect(html).toContain('name="replace_source"');
  expect(html).toContain('value="ghcr.io/you/app:1.2"');
  expect(other).toContain("Is not the name of an image");
});

test("POST /box/registries keeps credentials; a refused form comes back without the password", async () => {
  const refused = await web.post("/box/registries", {
    server: "ghcr.io/you",
    username: "you",
    password: "s3cret-canary",
  });
  const html = await refused.text();
  expect(refused.status).toBe(422);
  expect(html).toContain("Give the host alone");
  expect(html).toContain('value="ghcr.io/you"');
  expect(html).not.toContain("s3cret-canary");
  const kept = await web.post("/box/registries", {
    server: "ghcr.io",
    username: "you",
    password: "s3cret-canary",
  });
  expect([kept.status, kept.headers.get("location")]).toEqual([303, "/box/registries"]);
  const page = await (await web.get("/box/registries")).text();
  expect(page).toContain("ghcr.io");
  expect(page).not.toContain("s3cret-canary");
  const id = /registries\/([^/]+)\/remove/.exec(page)?.[1] as string;
  // This box has no engine: the page says so instead of failing.
  const tested = await web.post(`/box/registries/${id}/test`, {});
  expect(tested.status).toBe(422);
  expect(await tested.text()).toContain("No container engine answers");
  await web.post(`/box/registries/${id}/remove`, {});
  expect(await (await web.get("/box/registries")).text()).not.toContain("ghcr.io</code>");
});

describe("POST /login", () => {
  test("takes the whole link or its secret, and refuses a used one with the same form", async () => {
    const { url } = web.box.parts.access.createLoginLink(["http://box"]);
    const first = await web.post("/login", { link: ` ${url} ` }, { cookie: "" });
    expect([first.status, first.headers.get("location")]).toEqual([303, "/"]);
    expect(first.headers.get("set-cookie")).toMatch(/^diplo_session=[^;]+;.*HttpOnly.*SameSite=Lax/);
    const again = await web.post("/login", { link: url }, { cookie: "" });
    expect(again.status).toBe(422);
    expect(await again.text()).toContain("used already");
  });
});
