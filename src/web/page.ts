import { Layout, type Section } from "../../ui/layout.tsx";
import { ownAssets } from "./assets.ts";

/** No inline script or style, nothing from elsewhere, no frame around it. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const headers = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cache-control": "no-store",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  vary: "hx-request-type",
};

export interface Shown {
  title: string;
  section: Section;
  /** The element `#page`. */
  body: JSX.Element;
  status?: number;
}

/** Whether the asker wants a part only. HX-Request would be wrong here: boosted and redirected requests send it too. */
export const wantsPart = (request: Request): boolean => request.headers.get("hx-request-type") === "partial";

/** The one place that decides between a page and its part. */
export function answerPage(request: Request, actor: { name: string } | null, shown: Shown): Response {
  const body = shown.body as string;
  const html = wantsPart(request)
    ? body
    : Layout({
        title: shown.title,
        section: shown.section,
        assets: ownAssets().urls,
        actor: actor?.name ?? null,
        children: body,
      });
  return new Response(html, { status: shown.status ?? 200, headers });
}

/** A part of a page that has no page of its own. */
export function answerPart(html: JSX.Element, extra: Record<string, string> = {}, status = 200): Response {
  return new Response(html as string, { status, headers: { ...headers, ...extra } });
}

/** After a form did its work: the way to the next page, for both kinds of client. */
export function goTo(request: Request, path: string, extra: Record<string, string> = {}): Response {
  if (request.headers.get("hx-request") === "true") {
    return new Response(null, {
      status: 200,
      headers: { "hx-redirect": path, "cache-control": "no-store", ...extra },
    });
  }
  return new Response(null, {
    status: 303,
    headers: { location: path, "cache-control": "no-store", ...extra },
  });
}
