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
  try {
    return await change(call, draft.name, draft.value, `${draft.name} is saved.`);
  } catch (error) {
    const { errors, failure } = refusalOf(error, () => true);
    const told = Object.values(errors)[0] ?? failure?.detail ?? "This was refused.";
    const field = draft.name === "" || /name/i.test(told) ? "name" : "value";
    return show(call, { draft, errors: { [field]: told } }, 422);
  }
}

async function unset(call: RouteCall): Promise<Response> {
  const name = filled(await readForm(call.request), "name") ?? "";
  return change(call, name, null, `${name} is removed.`);
}

/** Puts an earlier version's value back; the value itself never travels through the page. */
async function undo(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const name = filled(form, "name") ?? "";
  const environment = call.parts.environments.find(call.params.app ?? "");
  const before = call.parts.config.values(environment, { [name]: Number(form.get("version")) || 0 });
  return change(call, name, before[name] ?? null, `${name} is as it was before.`);
}

async function change(call: RouteCall, name: string, value: string | null, text: string): Promise<Response> {
  const vars = await perform(list, { app: call.params.app }, call);
  const version = vars.find((each) => each.name === name)?.version ?? 0;
  const { deployment_id } = await perform(set, { app: call.params.app, vars: { [name]: value } }, call);
  const base = `/apps/${encodeURIComponent(call.params.app ?? "")}/config`;
  // Without scripts the page is simply shown again; with them it says so and offers the way back.
  if (!wantsPart(call.request)) return goTo(call.request, base);
  const link = deployment_id
    ? { href: `/deployments/${deployment_id}`, text: "Watch the new release" }
    : undefined;
  const notice = { text, undo: { action: `${base}/undo`, fields: { name, version: String(version) } } };
  return show(call, { notice: { ...notice, ...(link ? { link } : {}) } });
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
    path: "/apps/:app/config/undo",
    permission: "env:write",
    reason: "form: puts an earlier value back",
    page: true,
    handle: undo,
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
