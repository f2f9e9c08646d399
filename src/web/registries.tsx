import { RegistriesPage, type RegistriesView } from "../../ui/pages/registries.tsx";
import { DiploError } from "../errors.ts";
import { add, list, remove, test } from "../product/registries/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { filled, readForm } from "./form-body.ts";
import { answerPage, goTo } from "./page.ts";
import { perform, signedIn } from "./perform.ts";
import { failureOf, refusalOf } from "./refusal.ts";

const empty = { draft: { server: "", username: "" }, errors: {}, failure: null, notice: null };

async function show(call: RouteCall, view: Partial<RegistriesView> = {}, status = 200): Promise<Response> {
  const registries = await perform(list, {}, call);
  const body = <RegistriesPage {...empty} registries={registries} now={Date.now()} {...view} />;
  return answerPage(call.request, signedIn(call), { title: "Registries", section: "box", body, status });
}

async function keep(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const draft = { server: filled(form, "server") ?? "", username: filled(form, "username") ?? "" };
  try {
    await perform(add, { ...draft, password: form.get("password") ?? "" }, call);
    return goTo(call.request, "/box/registries");
  } catch (error) {
    const { errors, failure, status } = refusalOf(error, ["server", "username", "password"]);
    return show(call, { draft, errors, failure }, status);
  }
}

async function tryIt(call: RouteCall): Promise<Response> {
  try {
    const { server, username } = await perform(test, { registry: call.params.registry }, call);
    return await show(call, { notice: { text: `${server} lets the box in as ${username}.` } });
  } catch (error) {
    // Also a registry that is away is an answer here, not a fault of this page.
    if (!(error instanceof DiploError)) throw error;
    return show(call, { failure: failureOf(error) }, 422);
  }
}

async function forget(call: RouteCall): Promise<Response> {
  await perform(remove, { registry: call.params.registry }, call);
  return goTo(call.request, "/box/registries");
}

export const registriesRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/box/registries",
    permission: "system:read",
    reason: "page: registries that the box signs in to",
    page: true,
    handle: (call) => show(call),
  },
  {
    method: "POST",
    path: "/box/registries",
    permission: "system:write",
    reason: "form: keeps credentials for a registry",
    page: true,
    handle: keep,
  },
  {
    method: "POST",
    path: "/box/registries/:registry/test",
    permission: "system:write",
    reason: "form: signs in to a registry now",
    page: true,
    handle: tryIt,
  },
  {
    method: "POST",
    path: "/box/registries/:registry/remove",
    permission: "system:write",
    reason: "form: forgets credentials",
    page: true,
    handle: forget,
  },
];
