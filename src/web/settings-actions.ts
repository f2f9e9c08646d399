import { appRef } from "../../ui/partials/app-header.tsx";
import { DiploError } from "../errors.ts";
import { destroy, info } from "../product/apps/operations.ts";
import { deploy } from "../product/deployments/operations.ts";
import { formation, scale } from "../product/instances/operations.ts";
import { add, remove } from "../product/volumes/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { appForm } from "./app-form.ts";
import { settingsSaved, showSettings } from "./app-settings.tsx";
import { deploymentIdOf } from "./deployment-id.ts";
import { filled, readForm } from "./form-body.ts";
import { goTo } from "./page.ts";
import { perform } from "./perform.ts";
import { refusalOf } from "./refusal.ts";

const base = (call: RouteCall) => `/apps/${encodeURIComponent(call.params.app ?? "")}`;

const watch = (id: string | null) => (id ? { link: { href: `/deployments/${id}`, text: "Watch it" } } : {});

async function scaleIt(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const quantities: Record<string, string> = {};
  for (const [name, value] of form) if (name.startsWith("scale:")) quantities[name.slice(6)] = value.trim();
  const before = await perform(formation, { app: call.params.app }, call);
  try {
    const { deployment_id } = await perform(scale, { app: call.params.app, quantities }, call);
    const fields = Object.fromEntries(before.map((each) => [`scale:${each.process}`, String(each.quantity)]));
    return settingsSaved(call, {
      text: "Scaled.",
      undo: { action: `${base(call)}/scale`, fields },
      ...watch(deployment_id),
    });
  } catch (error) {
    const { errors, failure } = refusalOf(error, () => true);
    const byProcess = Object.entries(errors).map(([field, text]) => [
      field.replace(/^quantities\./, ""),
      text,
    ]);
    return showSettings(call, { errors: Object.fromEntries(byProcess), ...notice(failure) }, 422);
  }
}

async function changeSource(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const app = await perform(info, { app: call.params.app }, call);
  const input = {
    name: appRef(app),
    repo_url: filled(form, "repo_url"),
    image: filled(form, "image"),
    branch: filled(form, "branch"),
    subdirectory: app.source?.subdirectory || undefined,
    replace_source: true,
    wait: false,
  };
  try {
    return goTo(
      call.request,
      `/deployments/${encodeURIComponent(deploymentIdOf(await perform(deploy, input, call)))}`,
    );
  } catch (error) {
    const { errors, failure } = refusalOf(error, ["repo_url", "image", "branch"]);
    const source = {
      kind: input.image === undefined ? ("git" as const) : ("image" as const),
      image: input.image ?? null,
      tag: null,
      commit: null,
      subdirectory: app.source?.subdirectory ?? "",
    };
    const typed = { ...source, repo_url: input.repo_url ?? "", branch: input.branch ?? null };
    return showSettings(call, { source: typed, errors, ...notice(failure) }, 422);
  }
}

async function addVolume(call: RouteCall): Promise<Response> {
  const path = filled(await readForm(call.request), "mount_path") ?? "";
  try {
    const { volume, deployment_id } = await perform(add, { app: call.params.app, mount_path: path }, call);
    return settingsSaved(call, {
      text: `${volume.mount_path} outlives releases now.`,
      ...watch(deployment_id),
    });
  } catch (error) {
    const { errors, failure } = refusalOf(error, ["mount_path"]);
    const told = errors.mount_path ?? failure?.detail ?? "";
    return showSettings(
      call,
      { draft: { mount_path: path, confirm: "" }, errors: { mount_path: told } },
      422,
    );
  }
}

async function removeVolume(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const name = form.get("name") ?? "";
  try {
    const input = { app: call.params.app, name, confirm: filled(form, "confirm_volume") };
    const { deployment_id } = await perform(remove, input, call);
    return settingsSaved(call, { text: `${name} and its data are gone.`, ...watch(deployment_id) });
  } catch (error) {
    return showSettings(call, { errors: { [`volume:${name}`]: told(error) } }, 422);
  }
}

async function destroyIt(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const confirm = filled(form, "confirm");
  const input = { app: call.params.app, confirm, destroy_data: form.get("destroy_data") === "1" };
  try {
    await perform(destroy, input, call);
    return goTo(call.request, "/");
  } catch (error) {
    return showSettings(
      call,
      { draft: { mount_path: "", confirm: confirm ?? "" }, errors: { confirm: told(error) } },
      422,
    );
  }
}

const notice = (failure: { detail: string } | null) => (failure ? { notice: { text: failure.detail } } : {});

function told(error: unknown): string {
  const { errors, failure } = refusalOf(error, () => true);
  if (error instanceof DiploError && error.fields.length === 0)
    return [error.detail, error.hint].filter(Boolean).join(" ");
  return Object.values(errors)[0] ?? failure?.detail ?? "This was refused.";
}

/** The other forms of the settings page. */
export const settingsActionRoutes: HandRoute[] = [
  appForm("scale", "apps:write", scaleIt),
  appForm("source", "deploy", changeSource),
  appForm("storage", "apps:write", addVolume),
  appForm("storage/remove", "apps:write", removeVolume),
  appForm("destroy", "apps:write", destroyIt),
];
