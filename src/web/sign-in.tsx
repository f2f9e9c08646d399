import { SignInPage } from "../../ui/pages/sign-in.tsx";
import { DiploError } from "../errors.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { filled, readForm } from "./form-body.ts";
import { answerPage, goTo } from "./page.ts";

const isSecure = (request: Request) => new URL(request.url).protocol === "https:";

function show(request: Request, fromLink: boolean, error: string | null, status = 200): Response {
  const body = <SignInPage error={error} fromLink={fromLink} />;
  return answerPage(request, null, { title: "Sign in", section: null, body, status });
}

/** Takes the whole link, or what stands after its #. */
export function secretOf(pasted: string): string {
  return pasted
    .slice(pasted.lastIndexOf("#") + 1)
    .replace(/^token=/, "")
    .trim();
}

async function signIn({ request, parts, ip }: RouteCall): Promise<Response> {
  const pasted = filled(await readForm(request), "link") ?? "";
  const userAgent = request.headers.get("user-agent");
  try {
    const visitor = { ip, userAgent, secure: isSecure(request) };
    const { setCookie } = parts.access.redeemLoginLink(secretOf(pasted), visitor);
    return goTo(request, "/", { "set-cookie": setCookie });
  } catch (error) {
    if (!(error instanceof DiploError) || error.status >= 500) throw error;
    return show(request, false, error.detail, error.status === 429 ? 429 : 422);
  }
}

/** /setup/redeem and /logout are the API's. */
export const signInRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/setup",
    permission: "public",
    reason: "where a one-time link leads; its secret stays in the fragment until a script posts it",
    page: true,
    handle: ({ request }) => show(request, true, null),
  },
  {
    method: "GET",
    path: "/login",
    permission: "public",
    reason: "the way in for whoever has no session",
    page: true,
    handle: ({ request }) => show(request, false, null),
  },
  {
    method: "POST",
    path: "/login",
    permission: "public",
    reason: "a pasted one-time link, for browsers without scripts",
    page: true,
    handle: signIn,
  },
];
