import { afterAll, beforeAll, expect, test } from "bun:test";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";
import { greeter } from "./greeter.ts";
import { Visitor } from "./visitor.ts";

// Cookies ignore ports: an app on this box gets the dashboard's session from every browser that has one.

let box: Box;
let git: GitServer;
let owner: Visitor;
let port: number;

beforeAll(async () => {
  git = await serveRepositories();
  await git.commit("evil", greeter());
  box = await Box.start();
  ({ port } = await box.deploy({ repo_url: git.url("evil"), name: "evil" }));
  owner = await Visitor.open(box);
  await owner.signIn(box);
}, 90_000);

afterAll(async () => {
  await owner?.leave();
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

const session = async () =>
  (await owner.context.cookies()).find((cookie) => cookie.name === "diplo_session")?.value;

test("the session cookie reaches no app, and no app can overwrite it", async () => {
  const before = await session();
  expect(before).toBeTruthy();
  await owner.page.goto(`http://127.0.0.1:${port}/cgi-bin/headers`);
  await owner.page.goto(`http://127.0.0.1:${port}/cgi-bin/headers`);
  const seen = await owner.page.locator("body").textContent();
  expect(seen).toContain("own=1");
  expect(seen).not.toContain("diplo_session");
  expect(await session()).toBe(before);
  await owner.visit("/");
  await owner.page.getByRole("heading", { name: "All is well" }).waitFor();
}, 30_000);

test("a script of an app sees no session and reads nothing of the API", async () => {
  await owner.page.goto(`http://127.0.0.1:${port}/`);
  const found = await owner.page.evaluate(async (control) => {
    const read = await fetch(`${control}/api/v1/apps`, { credentials: "include" }).then(
      (answer) => answer.text(),
      () => "refused",
    );
    return { cookie: document.cookie, read };
  }, owner.base);
  expect(found.cookie).not.toContain("diplo_session");
  expect(found.read).toBe("refused");
}, 30_000);

test("a script of an app changes nothing: neither by fetch nor by a form", async () => {
  await owner.page.goto(`http://127.0.0.1:${port}/`);
  await owner.page.evaluate(async (control) => {
    const post = (path: string, init: RequestInit) =>
      fetch(control + path, { method: "POST", credentials: "include", mode: "no-cors", ...init }).catch(
        () => null,
      );
    await post("/api/v1/apps/evil/stop", {});
    await post("/apps/evil/stop", { body: new URLSearchParams() });
    await post("/apps/evil/config", { body: new URLSearchParams({ name: "OWNED", value: "yes" }) });
    await fetch(`${control}/api/v1/apps/evil?confirm=evil`, {
      method: "DELETE",
      credentials: "include",
    }).catch(() => null);
  }, owner.base);
  await owner.page.evaluate((control) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = `${control}/apps/evil/destroy`;
    form.innerHTML = '<input name="confirm" value="evil">';
    document.body.append(form);
    form.submit();
  }, owner.base);
  await owner.page.getByText("This is not allowed").waitFor();
  const { body } = await box.api<{ status: string }>("GET", "/apps/evil");
  expect(body.status).toBe("running");
  expect((await box.api<unknown[]>("GET", "/apps/evil/env")).body).toEqual([]);
}, 30_000);

test("an app cannot put the dashboard into a frame", async () => {
  await owner.page.goto(`http://127.0.0.1:${port}/`);
  await owner.page.evaluate((control) => {
    const frame = document.createElement("iframe");
    frame.src = control;
    document.body.append(frame);
  }, owner.base);
  await box.until("the frame was refused", () => owner.page.frames().length === 2);
  expect(await owner.page.frames()[1]?.locator("nav.rail").count()).toBe(0);
}, 30_000);
