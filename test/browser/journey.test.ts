import { afterAll, beforeAll, expect, test } from "bun:test";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";
import { greeter } from "./greeter.ts";
import { Visitor } from "./visitor.ts";

let box: Box;
let git: GitServer;
let owner: Visitor;

beforeAll(async () => {
  git = await serveRepositories();
  await git.commit("greeter", greeter(), "Say hello");
  box = await Box.start();
  owner = await Visitor.open(box);
}, 60_000);

afterAll(async () => {
  await owner?.leave();
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

const button = (text: string) => owner.page.getByRole("button", { name: text, exact: true });
const says = (text: string | RegExp) => owner.page.getByText(text).first().waitFor();
const appUrl = async () => (await box.api<{ url: string; port: number }>("GET", "/apps/greeter")).body;
const greeting = async () => (await box.app((await appUrl()).port)).text();

/** The deployment's page after it went live. */
async function wentLive(): Promise<void> {
  await owner.page.waitForURL(/\/deployments\//);
  await owner.page.getByRole("link", { name: "Open the app" }).waitFor({ timeout: 60_000 });
}

test("/setup signs in by the one-time link and takes its secret out of the address", async () => {
  await owner.signIn(box);
  await says("Your apps will stand here.");
  expect(owner.page.url()).toBe(`${owner.base}/`);
}, 30_000);

test("/apps/new looks at the repository, then deploys it while the phases tick and the log streams", async () => {
  await owner.page.getByRole("link", { name: "Deploy the first app" }).click();
  await owner.page.getByLabel("Git repository").fill(git.url("greeter"));
  await button("Look").click();
  await says("What was found");
  expect(await owner.page.getByLabel("Name", { exact: true }).inputValue()).toBe("greeter");
  expect(await owner.page.getByLabel("GREETING").inputValue()).toBe("hello");
  await owner.page.getByLabel("GREETING").fill('pa$$word "quoted" ünïcode');
  await button("Deploy").click();
  await owner.page.waitForURL(/\/deployments\//);
  await owner.page.getByRole("listitem").filter({ hasText: "routing" }).waitFor();
  await wentLive();
  await says("v1 is live");
  await says("complete");
  expect(await greeting()).toContain('pa$$word "quoted" ünïcode from page one');
}, 90_000);

test("/deployments/{id} opens the app in a tab of its own", async () => {
  const [tab] = await Promise.all([
    owner.context.waitForEvent("page"),
    owner.page.getByRole("link", { name: "Open the app" }).click(),
  ]);
  await tab.getByText("from page one").waitFor();
  await tab.close();
}, 30_000);

test("/apps/{app}/config reveals a value, changes it, and undoes the change", async () => {
  await owner.visit("/apps/greeter/config");
  expect(await owner.page.content()).not.toContain("ünïcode");
  await button("Reveal").click();
  await says('pa$$word "quoted" ünïcode');
  await owner.page.getByLabel("Name", { exact: true }).fill("GREETING");
  await owner.page.getByLabel("Value", { exact: true }).fill("good morning");
  await button("Save").click();
  await says("GREETING is saved.");
  await box.until("the new greeting serves", async () => (await greeting()).includes("good morning"));
  await button("Undo").click();
  await says("GREETING is as it was before.");
  await box.until("the old greeting serves", async () => (await greeting()).includes("pa$$word"));
}, 90_000);

test("/apps/{app}/config/raw shows the difference before it saves", async () => {
  await owner.visit("/apps/greeter/config/raw");
  await owner.page
    .getByRole("textbox", { name: "Config as .env text" })
    .fill("GREETING='good evening'\nEXTRA='two\nlines'\n");
  await button("Show the difference").click();
  await says("2 changes");
  expect(await greeting()).toContain("pa$$word");
  await button("Save and release").click();
  await wentLive();
  expect(await greeting()).toContain("good evening");
}, 60_000);

test("/apps/{app}/deployments returns to an old release", async () => {
  await owner.visit("/apps/greeter/deployments");
  await owner.page.getByText("config GREETING").first().waitFor();
  await button("Return to v1").click();
  await wentLive();
  await box.until("the old release serves", async () => (await greeting()).includes("pa$$word"));
}, 60_000);

test("/apps/{app}/logs follows what the app prints", async () => {
  await owner.visit("/apps/greeter/logs");
  await owner.page.locator("[data-log] .l", { hasText: "listening on" }).first().waitFor();
  await says("following");
  await owner.page.getByPlaceholder("Find in the log").fill("no such words");
  await owner.page.locator("[data-log] .l", { hasText: "listening on" }).first().waitFor({ state: "hidden" });
}, 30_000);

test("/apps/{app} measures what its instances use", async () => {
  await owner.visit("/apps/greeter");
  await owner.page
    .locator("#usage")
    .getByText(/of 512 MB/)
    .waitFor();
  await owner.page.getByText("1 of 1 running").waitFor();
}, 30_000);

test("a stream reconnects by itself after the box was away, and says so", async () => {
  await owner.visit("/apps/greeter/logs");
  await says("following");
  await box.kill("SIGKILL");
  await says(/The connection is lost/);
  await box.serve();
  await owner.page.getByText("following").waitFor({ timeout: 40_000 });
  // Chromium notes the refused connections; nothing else may have gone wrong.
  const refused =
    /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|net::ERR_FAILED/;
  owner.problems.splice(
    0,
    owner.problems.length,
    ...owner.problems.filter((problem) => !refused.test(problem)),
  );
}, 90_000);

test("/apps/{app}/settings keeps what was typed when it refuses it, and saves what fits", async () => {
  await owner.visit("/apps/greeter/settings");
  await owner.page.getByLabel("Memory").fill("1k");
  await button("Save").click();
  await owner.page.locator(".field.wrong").first().waitFor();
  expect(await owner.page.getByLabel("Memory").inputValue()).toBe("1k");
  await owner.page.getByLabel("Memory").fill("128m");
  await owner.page.getByLabel("Answer within").fill("4");
  await button("Save").click();
  await says("The settings are saved.");
  const { body } = await box.api<{ settings: { limits: { memory: string }; health: { timeout_s: number } } }>(
    "GET",
    "/apps/greeter",
  );
  expect([body.settings.limits.memory, body.settings.health.timeout_s]).toEqual(["128m", 4]);
}, 60_000);

test("a repository that is not there: the address stays, and what is wrong stands beside it", async () => {
  await owner.visit("/apps/new");
  await owner.page.getByLabel("Git repository").fill(git.url("nobody"));
  await button("Look").click();
  await owner.page.locator(".field.wrong, .failure").first().waitFor();
  expect(await owner.page.getByLabel("Git repository").inputValue()).toBe(git.url("nobody"));
}, 60_000);

test("/deployments/{id} cancels a build, and offers to try again", async () => {
  await git.commit(
    "slow",
    { Dockerfile: "FROM busybox:1.36\nRUN echo begun && sleep 300\n" },
    "Take a while",
  );
  const { body } = await box.api<{ id: string }>("POST", "/deploy", {
    repo_url: git.url("slow"),
    name: "slow",
    wait: false,
  });
  await owner.visit(`/deployments/${body.id}`);
  await owner.page.locator("[data-log] .l", { hasText: "begun" }).last().waitFor();
  await button("Cancel").click();
  await owner.page.locator("#deployment-summary .state.stopped").waitFor();
  await button("Try again").waitFor();
  expect((await box.ended(body.id)).status).toBe("cancelled");
  await box.api("DELETE", "/apps/slow?confirm=slow");
  await box.until("slow is gone", async () => (await box.api("GET", "/apps/slow")).status === 404);
}, 60_000);

test("keys: / finds, ? lists, Esc leaves, g goes", async () => {
  await owner.visit("/");
  await owner.page.keyboard.press("/");
  await owner.page.locator("#find").getByRole("searchbox").fill("greet");
  await owner.page
    .locator("#find-results")
    .getByRole("link", { name: /app greeter/ })
    .waitFor();
  await owner.page.keyboard.press("Escape");
  await owner.page.locator("#find").waitFor({ state: "hidden" });
  await owner.page.keyboard.press("?");
  await says("this list");
  await owner.page.keyboard.press("Escape");
  await owner.page.keyboard.press("g");
  await owner.page.keyboard.press("j");
  await owner.page.waitForURL(`${owner.base}/jobs`);
}, 30_000);

test("the theme switch remembers, and the page is never painted in the other one", async () => {
  await owner.visit("/");
  const theme = () => owner.page.locator("html").getAttribute("data-theme");
  await owner.page.getByRole("button", { name: /Theme/ }).click();
  await owner.page.getByRole("button", { name: /Theme/ }).click();
  expect(await theme()).toBe("dark");
  await owner.page.reload();
  expect(await theme()).toBe("dark");
  await owner.page.getByRole("button", { name: /Theme/ }).click();
  expect(await theme()).toBeNull();
}, 30_000);

test("deletion asks for the name, then the app is gone", async () => {
  await owner.visit("/apps/greeter/settings");
  await owner.page.getByLabel("Type greeter to confirm").fill("greeting");
  await button("Delete for good").click();
  await owner.page.locator(".danger .field.wrong").waitFor();
  await owner.page.getByLabel("Type greeter to confirm").fill("greeter");
  await button("Delete for good").click();
  await owner.page.waitForURL(`${owner.base}/`);
  await box.until("the app is gone", async () => (await box.api("GET", "/apps/greeter")).status === 404);
  await says("Your apps will stand here.");
}, 60_000);

test("nothing on the way broke the policy or the console", () => {
  expect(owner.problems).toEqual([]);
});
