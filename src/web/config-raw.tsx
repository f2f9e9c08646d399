import { type ConfigChange, ConfigRawPage, type ConfigRawView } from "../../ui/pages/config-raw.tsx";
import { info } from "../product/apps/operations.ts";
import { formatDotenv, parseDotenv } from "../product/config/dotenv.ts";
import { get, list, replace } from "../product/config/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { readForm } from "./form-body.ts";
import { answerPage, goTo } from "./page.ts";
import { perform, signedIn } from "./perform.ts";
import { refusalOf } from "./refusal.ts";

async function show(call: RouteCall, view: Omit<ConfigRawView, "app">, status = 200): Promise<Response> {
  const app = await perform(info, { app: call.params.app }, call);
  const body = <ConfigRawPage app={app} {...view} />;
  return answerPage(call.request, signedIn(call), {
    title: `Config of ${app.name}`,
    section: "apps",
    body,
    status,
  });
}

/** Every value, each revealed by the audited operation. */
async function values(call: RouteCall): Promise<Map<string, string>> {
  const names = await perform(list, { app: call.params.app }, call);
  const revealed = await Promise.all(
    names.map(({ name }) => perform(get, { app: call.params.app, name }, call)),
  );
  return new Map(revealed.map(({ name, value }) => [name, value ?? ""]));
}

async function edit(call: RouteCall): Promise<Response> {
  return show(call, { dotenv: formatDotenv(await values(call)), changes: null, errors: {} });
}

async function preview(call: RouteCall): Promise<Response> {
  const dotenv = (await readForm(call.request)).get("dotenv") ?? "";
  try {
    const changes = configChanges(await values(call), parseDotenv(dotenv));
    return await show(call, { dotenv, changes, errors: {} });
  } catch (error) {
    return refused(call, dotenv, error);
  }
}

async function save(call: RouteCall): Promise<Response> {
  const dotenv = (await readForm(call.request)).get("dotenv") ?? "";
  try {
    const { deployment_id } = await perform(replace, { app: call.params.app, dotenv }, call);
    const app = encodeURIComponent(call.params.app ?? "");
    return goTo(
      call.request,
      deployment_id ? `/deployments/${encodeURIComponent(deployment_id)}` : `/apps/${app}/config`,
    );
  } catch (error) {
    return refused(call, dotenv, error);
  }
}

function refused(call: RouteCall, dotenv: string, error: unknown): Promise<Response> {
  const { errors, failure } = refusalOf(error, () => true);
  const told = Object.entries(errors).map(([field, text]) =>
    field === "dotenv" ? text : `${field}: ${text}`,
  );
  const words = told.join(" ") || failure?.detail || "This was refused.";
  return show(call, { dotenv, changes: null, errors: { dotenv: words } }, 422);
}

/** What saving would change, by name. */
export function configChanges(before: Map<string, string>, after: Map<string, string>): ConfigChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name): ConfigChange[] => {
    const old = before.get(name) ?? null;
    const fresh = after.get(name) ?? null;
    if (old === fresh) return [];
    const kind = old === null ? "added" : fresh === null ? "removed" : "changed";
    return [{ name, kind, before: old, after: fresh }];
  });
}

export const configRawRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/:app/config/raw",
    permission: "env:write",
    reason: "page: all config as .env text",
    page: true,
    handle: edit,
  },
  {
    method: "POST",
    path: "/apps/:app/config/preview",
    permission: "env:write",
    reason: "form: what saving would change",
    page: true,
    handle: preview,
  },
  {
    method: "POST",
    path: "/apps/:app/config/file",
    permission: "env:write",
    reason: "form: replaces the config by .env text",
    page: true,
    handle: save,
  },
];
