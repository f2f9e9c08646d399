import { afterAll, beforeAll, expect, test } from "bun:test";
import { hostname } from "node:os";
import { type GitServer, serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";
import { greeter } from "./greeter.ts";
import { Visitor } from "./visitor.ts";

// On a LAN name over plain http a browser has no clipboard API, no crypto.subtle and sends no Sec-Fetch headers.

let box: Box;
let git: GitServer;
let owner: Visitor;

beforeAll(async () => {
  git = await serveRepositories();
  await git.commit("greeter", greeter());
  box = await Box.start();
  await box.deploy({ repo_url: git.url("greeter"), name: "greeter" });
  owner = await Visitor.open(box, { host: `${hostname().split(".")[0]}.local` });
}, 90_000);

afterAll(async () => {
  await owner?.leave();
  await box?.[Symbol.asyncDispose]();
  await git?.stop();
}, 60_000);

test("the one-time link signs in on a LAN name", async () => {
  await owner.signIn(box);
  expect(await owner.page.evaluate(() => window.isSecureContext)).toBe(false);
  await owner.page.getByRole("heading", { name: "All is well" }).waitFor();
}, 30_000);

test("copying works without the clipboard API", async () => {
  await owner.visit("/apps/greeter/config");
  expect(await owner.page.evaluate(() => "clipboard" in navigator)).toBe(false);
  await owner.page.getByRole("button", { name: /copy the command/ }).click();
  await owner.page.getByText("Copied", { exact: true }).waitFor();
  await owner.page.getByLabel("Name", { exact: true }).focus();
  await owner.page.keyboard.press("Control+V");
  expect(await owner.page.getByLabel("Name", { exact: true }).inputValue()).toBe(
    "diplo config:set -a greeter NAME=value",
  );
}, 30_000);

test("forms are let through by their Origin", async () => {
  await owner.visit("/apps/greeter/config");
  await owner.page.getByLabel("Name", { exact: true }).fill("PLACE");
  await owner.page.getByLabel("Value", { exact: true }).fill("kitchen");
  await owner.page.getByRole("button", { name: "Save", exact: true }).click();
  await owner.page.getByText("PLACE is saved.").waitFor();
  expect(owner.problems).toEqual([]);
}, 30_000);
