import type { NoticeView } from "../../ui/components/notice.tsx";
import { AppSettingsPage, type AppSettingsView } from "../../ui/pages/app-settings.tsx";
import type { App } from "../product/apps/app.ts";
import { info, set } from "../product/apps/operations.ts";
import { formation } from "../product/instances/operations.ts";
import { listCredentials, deployKey as readDeployKey } from "../product/sources/operations.ts";
import { list as listVolumes } from "../product/volumes/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { readForm } from "./form-body.ts";
import { answerPage, goTo, wantsPart } from "./page.ts";
import { perform, performOrNull, signedIn } from "./perform.ts";
import { refusalOf } from "./refusal.ts";
import { changesOf, settingValues } from "./setting-values.ts";

/** The settings page, after whatever one of its forms did. */
export async function showSettings(
  call: RouteCall,
  view: Partial<AppSettingsView> = {},
  status = 200,
): Promise<Response> {
  const ref = call.params.app ?? "";
  const app = await perform(info, { app: ref }, call);
  const [processes, volumes, deployKey, credentials] = await Promise.all([
    performOrNull(formation, { app: ref }, call),
    performOrNull(listVolumes, { app: ref }, call),
    performOrNull(readDeployKey, { app: ref }, call),
    performOrNull(listCredentials, { app: ref }, call),
  ]);
  const overHttps = /^https?:/.test(app.source?.repo_url ?? "");
  const { watch_paths, ignore_paths, path_filter } = app.settings;
  const body = (
    <AppSettingsPage
      app={app}
      values={settingValues(app.settings)}
      errors={{}}
      processes={processes ?? []}
      source={app.source}
      access={{ deployKey, credentials: credentials ?? [], overHttps }}
      watch={{ watch_paths: watch_paths.join("\n"), ignore_paths: ignore_paths.join("\n"), path_filter }}
      volumes={volumes ?? []}
      draft={{ mount_path: "", confirm: "" }}
      {...view}
    />
  );
  return answerPage(call.request, signedIn(call), {
    title: `Settings of ${app.name}`,
    section: "apps",
    body,
    status,
  });
}

/** A form of the settings page did its work. With scripts the page says so, without them it is shown again. */
export function settingsSaved(call: RouteCall, notice: NoticeView): Promise<Response> | Response {
  if (wantsPart(call.request)) return showSettings(call, { notice });
  return goTo(call.request, `/apps/${encodeURIComponent(call.params.app ?? "")}/settings`);
}

async function save(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const before = await perform(info, { app: call.params.app }, call);
  const wanted = { ...settingValues(before.settings), ...Object.fromEntries(form) };
  const changes = changesOf(before.settings, wanted);
  if (Object.keys(changes).length === 0) return settingsSaved(call, { text: "Nothing was changed." });
  try {
    const after = await perform(set, { app: call.params.app, ...changes }, call);
    return settingsSaved(call, savedNotice(call, before, after));
  } catch (error) {
    const { errors, failure } = refusalOf(error, () => true);
    return showSettings(
      call,
      { values: wanted, errors, ...(failure ? { notice: { text: failure.detail } } : {}) },
      422,
    );
  }
}

function savedNotice(call: RouteCall, before: App, after: App): NoticeView {
  const link = after.deployment_id
    ? { href: `/deployments/${after.deployment_id}`, text: "Watch the new release" }
    : undefined;
  const action = `/apps/${encodeURIComponent(call.params.app ?? "")}/settings`;
  return {
    text: "The settings are saved.",
    undo: { action, fields: settingValues(before.settings) },
    ...(link ? { link } : {}),
  };
}

export const appSettingsRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/:app/settings",
    permission: "apps:read",
    reason: "page: an app's settings",
    page: true,
    handle: (call) => showSettings(call),
  },
  {
    method: "POST",
    path: "/apps/:app/settings",
    permission: "apps:write",
    reason: "form: health, limits, strategy, requests and sleep",
    page: true,
    handle: save,
  },
];
