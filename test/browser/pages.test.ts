import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";
import { greeter } from "./greeter.ts";
import { Visitor } from "./visitor.ts";

// Every page in a real Chromium, phone and desktop, light and dark. DIPLO_SCREENSHOTS=<directory> keeps the pictures.

const axe = readFileSync(join(import.meta.dir, "../../node_modules/axe-core/axe.min.js"), "utf8");
const pictures = process.env.DIPLO_SCREENSHOTS;

const looks = [
  { name: "desktop-light", width: 1280, height: 800, scheme: "light" },
  { name: "desktop-dark", width: 1280, height: 800, scheme: "dark" },
  { name: "phone-light", width: 390, height: 844, scheme: "light" },
  { name: "phone-dark", width: 390, height: 844, scheme: "dark" },
] as const;

let box: Box;
let git: GitServer;
let paths: string[];

beforeAll(async () => {
  git = await serveRepositories();
  await git.commit("greeter", greeter(), "Say hello");
  await git.commit("broken", { Dockerfile: "FROM busybox:1.36\nRUN echo no luck && exit 3\n" }, "Break it");
  box = await Box.start();
  const env_vars = [{ name: "GREETING", value: "hello" }];
  const live = await box.deploy({ repo_url: git.url("greeter"), name: "greeter", env_vars });
  for (let i = 0; i < 20; i++) await box.app(live.port);
  const failed = await box.api<{ deployment_id: string }>("POST", "/deploy", {
    repo_url: git.url("broken"),
    name: "broken",
  });
  const app = "/apps/greeter";
  paths = [
    ...["/", "/apps/new", app, `${app}/deployments`, `/deployments/${live.deployment_id}`],
    ...[
      `/deployments/${failed.body.deployment_id}`,
      "/apps/broken",
      `${app}/logs`,
      `${app}/config`,
      `${app}/config/raw`,
    ],
    ...[
      `${app}/settings`,
      "/jobs",
      "/jobs?show=all",
      "/box",
      "/box/tokens",
      "/box/registries",
      "/search?q=greeter",
      "/no-such-page",
    ],
  ];
}, 120_000);

afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

interface AxeResult {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** What axe finds serious or worse. */
async function serious(visitor: Visitor): Promise<string[]> {
  await visitor.page.evaluate(axe);
  const result = await visitor.page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<AxeResult> } }).axe.run(),
  );
  return result.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ""}`),
    );
}

/** Wider than the window, so that a phone would scroll sideways. */
const overflow = (visitor: Visitor) =>
  visitor.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

async function picture(visitor: Visitor, look: string, path: string): Promise<void> {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  const name =
    path
      .replace(/01[0-9A-Z]{24}/, "id")
      .replace(/\W+/g, "-")
      .replace(/^-|-$/g, "") || "home";
  await visitor.page.screenshot({ path: join(pictures, `${name}.${look}.png`), fullPage: true });
}

describe("every page is accessible, fits its window and keeps to the policy", () => {
  for (const { name, ...look } of looks)
    test(name, async () => {
      const visitor = await Visitor.open(box, { ...look, bypassPolicy: true });
      try {
        const wrong: Record<string, unknown> = {};
        const examine = async (path: string) => {
          await visitor.visit(path);
          await visitor.page.locator("#page").waitFor();
          await picture(visitor, name, path);
          const found = [
            ...(await serious(visitor)),
            ...((await overflow(visitor)) > 0 ? ["overflows"] : []),
          ];
          if (found.length > 0) wrong[path] = found;
        };
        await examine("/login");
        await examine("/setup");
        await visitor.signIn(box);
        for (const path of paths) await examine(path);
        expect(wrong).toEqual({});
      } finally {
        await visitor.leave();
      }
    }, 180_000);

  test("under the policy itself no page breaks it or logs an error", async () => {
    const visitor = await Visitor.open(box);
    try {
      await visitor.signIn(box);
      for (const path of paths) {
        await visitor.visit(path);
        await visitor.page.locator("#page").waitFor();
      }
      expect(visitor.problems).toEqual([]);
    } finally {
      await visitor.leave();
    }
  }, 60_000);
});

test("the dashboard works without scripts: sign in, deploy, change config", async () => {
  const visitor = await Visitor.open(box, { scripts: false });
  try {
    const { page } = visitor;
    const { body } = await box.api<{ url: string }>("POST", "/login-links", {});
    await visitor.visit("/login");
    await page.getByLabel("Sign-in link").fill(body.url);
    await page.getByRole("button", { name: "Sign in" }).click();
    await visitor.visit("/apps/new");
    await page.getByLabel("Git repository").fill(git.url("greeter"));
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByLabel("Name", { exact: true }).fill("plain");
    await page.getByRole("button", { name: "Deploy", exact: true }).click();
    await page.waitForURL(/\/deployments\//);
    const id = page.url().split("/").at(-1) as string;
    expect((await box.ended(id)).status).toBe("success");
    await visitor.visit("/apps/plain/config");
    await page.getByLabel("Name", { exact: true }).fill("MULTI");
    await page.getByLabel("Value", { exact: true }).fill("one\ntwo");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("MULTI").first().waitFor();
    const { body: value } = await box.api<{ value: string }>("GET", "/apps/plain/env/MULTI");
    expect(value.value).toBe("one\ntwo");
  } finally {
    await visitor.leave();
  }
}, 90_000);

test("the first page weighs at most 60 KB compressed", async () => {
  const visitor = await Visitor.open(box);
  try {
    await visitor.signIn(box);
    await visitor.visit("/");
    const answers = await Promise.all(
      (await visitor.page.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name)))
        .filter((url) => url.includes("/assets/"))
        .map(async (url) =>
          (await fetch(url, { headers: { "accept-encoding": "gzip" }, decompress: false })).arrayBuffer(),
        ),
    );
    const html = Buffer.byteLength(await visitor.page.content());
    const total = html + answers.reduce((sum, body) => sum + body.byteLength, 0);
    expect(answers.length).toBeGreaterThanOrEqual(3);
    expect(total).toBeLessThan(60 * 1024);
  } finally {
    await visitor.leave();
  }
}, 30_000);
