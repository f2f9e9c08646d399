import type { NoticeView } from "../../ui/components/notice.tsx";
import { AppConfigPage, type AppConfigView, VarRow } from "../../ui/pages/app-config.tsx";
import { appRef } from "../../ui/partials/app-header.tsx";
import { info } from "../product/apps/operations.ts";
import { get, list, set } from "../product/config/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { filled, readForm } from "./form-body.ts";
import { answerPage, answerPart, goTo, wantsPart } from "./page.ts";
import { perform, signedIn } from "./perform.ts";
import { refusalOf } from "./refusal.ts";

async function show(call: RouteCall, view: Partial<AppConfigView> = {}, status = 200): Promise<Response> {
  const ref = call.params.app ?? "";
  const [app, vars] = await Promise.all([
    perform(info, { app: ref }, call),
    perform(list, { app: ref }, call),
  ]);
  const whole = { app, vars, draft: { name: "", value: "" }, errors: {}, now: Date.now(), ...view };
  const body = <AppConfigPage {...whole} />;
  return answerPage(call.request, signedIn(call), {
    title: `Config of ${app.name}`,
    section: "apps",
    body,
    status,
  });
}

async function save(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const draft = { name: filled(form, "name") ?? "", value: form.get("value") ?? "" };
  const before = await valueNow(call, draft.name);
  try {
    const { deployment_id } = await perform(
      set,
      { app: call.params.app, vars: { [draft.name]: draft.value } },
      call,
    );
    return saved(call, `${draft.name} is saved.`, deployment_id, undoOf(call, draft.name, before));
  } catch (error) {
    const { errors, failure } = refusalOf(error, () => true);
    const told = Object.values(errors)[0] ?? failure?.detail ?? "This was refused.";
    return show(
      call,
      { draft, errors: { [draft.name === "" || /name/i.test(told) ? "name" : "value"]: told } },
      422,
    );
  }
}

async function unset(call: RouteCall): Promise<Response> {
  const name = filled(await readForm(call.request), "name") ?? "";
  const before = await valueNow(call, name);
  const { deployment_id } = await perform(set, { app: call.params.app, vars: { [name]: null } }, call);
  return saved(call, `${name} is removed.`, deployment_id, undoOf(call, name, before));
}

/** With scripts the page says so and offers the way back; without them it is simply shown again. */
function saved(
  call: RouteCall,
  text: string,
  deploymentId: string | null,
  undo: NoticeView["undo"],
): Promise<Response> | Response {
  if (!wantsPart(call.request))
    return goTo(call.request, `/apps/${encodeURIComponent(call.params.app ?? "")}/config`);
  const link = deploymentId
    ? { href: `/deployments/${deploymentId}`, text: "Watch the new release" }
    : undefined;
  return show(call, { notice: { text, ...(link ? { link } : {}), ...(undo ? { undo } : {}) } });
}

/** For the way back: what stands there now, null when nothing does. */
async function valueNow(call: RouteCall, name: string): Promise<string | null> {
  const known = (await perform(list, { app: call.params.app }, call)).find((each) => each.name === name);
  if (!known) return null;
  return (await perform(get, { app: call.params.app, name }, call)).value;
}

function undoOf(call: RouteCall, name: string, before: string | null): NoticeView["undo"] {
  const base = `/apps/${encodeURIComponent(call.params.app ?? "")}/config`;
  return before === null
    ? { action: `${base}/unset`, fields: { name } }
    : { action: base, fields: { name, value: before } };
}

async function reveal(call: RouteCall): Promise<Response> {
  const name = filled(await readForm(call.request), "name") ?? "";
  const revealed = await perform(get, { app: call.params.app, name }, call);
  const app = await perform(info, { app: call.params.app }, call);
  if (wantsPart(call.request))
    return answerPart(<VarRow each={revealed} appRef={appRef(app)} now={Date.now()} />);
  const vars = await perform(list, { app: call.params.app }, call);
  return show(call, { vars: vars.map((each) => (each.name === name ? revealed : each)) });
}

export const appConfigRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/:app/config",
    permission: "env:read",
    reason: "page: an app's config",
    page: true,
    handle: (call) => show(call),
  },
  {
    method: "POST",
    path: "/apps/:app/config",
    permission: "env:write",
    reason: "form: sets one value",
    page: true,
    handle: save,
  },
  {
    method: "POST",
    path: "/apps/:app/config/unset",
    permission: "env:write",
    reason: "form: removes one value",
    page: true,
    handle: unset,
  },
  {
    method: "POST",
    path: "/apps/:app/config/reveal",
    permission: "env:read",
    reason: "form: shows one value; audited",
    page: true,
    handle: reveal,
  },
];
