import { set } from "../product/apps/operations.ts";
import { createDeployKey, removeCredential, setCredential } from "../product/sources/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { appForm } from "./app-form.ts";
import { settingsSaved, showSettings } from "./app-settings.tsx";
import { filled, readForm } from "./form-body.ts";
import { perform } from "./perform.ts";
import { refusalOf } from "./refusal.ts";

async function makeKey(call: RouteCall): Promise<Response> {
  const replace = (await readForm(call.request)).get("replace") === "1";
  await perform(createDeployKey, { app: call.params.app, replace }, call);
  return settingsSaved(call, { text: replace ? "A new key: add it at the host." : "The key is made." });
}

async function keepCredential(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const given = Object.fromEntries(
    ["github_token", "username", "password"].flatMap((name) => {
      const value = filled(form, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return orRefused(call, async () => {
    await perform(setCredential, { app: call.params.app, ...given }, call);
    return settingsSaved(call, { text: "It is kept sealed; the next deployment uses it." });
  });
}

async function forgetCredential(call: RouteCall): Promise<Response> {
  const origin = (await readForm(call.request)).get("origin") ?? "";
  return orRefused(call, async () => {
    await perform(removeCredential, { app: call.params.app, origin }, call);
    return settingsSaved(call, { text: `What was kept for ${origin} is forgotten.` });
  });
}

async function savePaths(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const [watch_paths, ignore_paths] = ["watch_paths", "ignore_paths"].map((name) => form.get(name) ?? "");
  const path_filter = form.get("path_filter") ?? "strict";
  const lines = (text = "") =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  try {
    const paths = { watch_paths: lines(watch_paths), ignore_paths: lines(ignore_paths), path_filter };
    await perform(set, { app: call.params.app, ...paths }, call);
    return settingsSaved(call, { text: "The paths are saved." });
  } catch (error) {
    const { errors, failure } = refusalOf(error, () => true);
    // `watch_paths.3` is a line of the field.
    const byField = Object.entries(errors).map(([field, text]) => [field.replace(/\..*$/, ""), text]);
    const watch = { watch_paths: watch_paths ?? "", ignore_paths: ignore_paths ?? "", path_filter };
    return showSettings(call, { watch, errors: Object.fromEntries(byField), ...notice(failure) }, 422);
  }
}

async function orRefused(call: RouteCall, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    const { errors, failure } = refusalOf(error, () => true);
    return showSettings(call, { errors, ...notice(failure) }, 422);
  }
}

const notice = (failure: { detail: string } | null) => (failure ? { notice: { text: failure.detail } } : {});

/** The forms of the settings page about reaching the source. */
export const sourceActionRoutes: HandRoute[] = [
  appForm("deploy-key", "deploy", makeKey),
  appForm("credential", "deploy", keepCredential),
  appForm("credential/remove", "apps:write", forgetCredential),
  appForm("watch", "apps:write", savePaths),
];
