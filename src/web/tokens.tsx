import { TokensPage, type TokensView } from "../../ui/pages/tokens.tsx";
import { create, list, revoke } from "../product/tokens/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { filled, readForm } from "./form-body.ts";
import { answerPage, goTo } from "./page.ts";
import { perform, signedIn } from "./perform.ts";
import { refusalOf } from "./refusal.ts";

const newDraft = { name: "", scope: "deploy", expires_in_days: "90" };

const scopes: Record<string, string[]> = {
  read: ["read"],
  deploy: ["read", "deploy"],
  write: ["write"],
  admin: ["admin"],
};

async function show(call: RouteCall, view: Partial<TokensView> = {}, status = 200): Promise<Response> {
  const tokens = await perform(list, {}, call);
  const whole = { tokens, created: null, draft: newDraft, errors: {}, now: Date.now(), ...view };
  const body = <TokensPage {...whole} />;
  return answerPage(call.request, signedIn(call), { title: "API tokens", section: "box", body, status });
}

/** The secret is in this answer only, so this answer is the page: a redirect would lose it. */
async function make(call: RouteCall): Promise<Response> {
  const form = await readForm(call.request);
  const draft = {
    name: form.get("name")?.trim() ?? "",
    scope: form.get("scope") ?? "",
    expires_in_days: form.get("expires_in_days") ?? "",
  };
  const days = filled(form, "expires_in_days");
  try {
    const input = {
      name: draft.name,
      scopes: scopes[draft.scope] ?? [],
      ...(days ? { expires_in_days: days } : {}),
    };
    const { name, token } = await perform(create, input, call);
    return await show(call, { created: { name, token } });
  } catch (error) {
    const { errors, failure } = refusalOf(error, ["name", "scopes", "expires_in_days"]);
    return show(call, { draft, errors: failure ? { ...errors, name: failure.detail } : errors }, 422);
  }
}

async function takeBack(call: RouteCall): Promise<Response> {
  await perform(revoke, { token: call.params.token }, call);
  return goTo(call.request, "/box/tokens");
}

export const tokensRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/box/tokens",
    permission: "tokens:write",
    reason: "page: API tokens",
    page: true,
    handle: (call) => show(call),
  },
  {
    method: "POST",
    path: "/box/tokens",
    permission: "tokens:write",
    reason: "form: makes a token; its secret is in this answer only",
    page: true,
    handle: make,
  },
  {
    method: "POST",
    path: "/box/tokens/:token/revoke",
    permission: "tokens:write",
    reason: "form: makes a token useless",
    page: true,
    handle: takeBack,
  },
];
