import type { ProxyErrorCode, Route } from "./protocol.ts";

/** When an answer with 503 may be asked for again. */
export const RETRY_AFTER_S = 5;

export interface ErrorPage {
  contentType: string;
  body: string;
}

interface Words {
  title: string;
  detail: string;
  /** A moment later it may be well: the page asks again by itself. */
  passing?: boolean;
}

const WORDS: Record<ProxyErrorCode, Words> = {
  bad_request: { title: "Bad request", detail: "The request is not valid HTTP/1.1 and was not passed on." },
  missing_host: {
    title: "No host name",
    detail: "The request names no host, so there is no telling which app it is for.",
  },
  unknown_host: {
    title: "No app here",
    detail: "No app answers to this address. Look at the app's domains and at its spelling.",
  },
  not_found: { title: "Not found", detail: "There is no page at this address. Look at its spelling." },
  method_not_allowed: {
    title: "Method not allowed",
    detail: "Files can be fetched with GET and HEAD, nothing else.",
  },
  shutting_down: { title: "Shutting down", detail: "The proxy is being stopped. Try again in a moment." },
  unhealthy: {
    title: "Not ready",
    detail: "No instance of the app takes requests at the moment. Look at its status and its log.",
  },
  start_failed: {
    title: "Start failed",
    detail: "The app could not be started. Look at its last deployment and its log.",
  },
  overloaded: { title: "Too busy", detail: "Too many requests wait for the app. Try again in a moment." },
  request_timeout: {
    title: "No answer in time",
    detail: "The app took the request and did not answer in time. Look at its log.",
  },
  connection_failed: {
    title: "No proper answer",
    detail: "The app took no connection, broke it off, or did not answer with valid HTTP. Look at its log.",
  },
  body_too_large: {
    title: "Body too large",
    detail: "The request's body is larger than the app's limit allows.",
  },
  header_too_large: {
    title: "Header too large",
    detail: "The request's header is larger than the limit allows.",
  },
  internal: {
    title: "Internal error",
    detail: "Something went wrong in the proxy itself. Its log tells more.",
  },
};

/** What `unhealthy` means while the app is not meant to run. */
const STATUS_WORDS: Partial<Record<Route["status"], Words>> = {
  starting: { title: "Starting", detail: "The app is starting. Try again in a moment.", passing: true },
  sleeping: {
    title: "Starting",
    detail: "The app was asleep and is starting now. Try again in a moment.",
    passing: true,
  },
  stopped: { title: "Stopped", detail: "The app is stopped. Its owner can start it again." },
  maintenance: { title: "Under maintenance", detail: "The app is under maintenance. Try again later." },
};

/** What a person or program reads when the proxy answers itself: HTML, JSON or text, as Accept prefers. */
export function errorPage(
  code: ProxyErrorCode,
  status: number,
  route: Route | undefined,
  accept: string,
): ErrorPage {
  const said = words(code, route);
  const { title, detail } = said;
  const app = route === undefined ? undefined : appName(route);
  switch (preferred(accept)) {
    case "json": {
      const problem = { type: "about:blank", title, status, code, detail, app };
      return { contentType: "application/problem+json", body: `${JSON.stringify(problem)}\n` };
    }
    case "html":
      return { contentType: "text/html; charset=utf-8", body: html(code, status, said, app) };
    case "text": {
      const name = app === undefined ? "" : `${app}: `;
      return {
        contentType: "text/plain; charset=utf-8",
        body: `${status} ${name}${title}. ${detail} (${code})\n`,
      };
    }
  }
}

function words(code: ProxyErrorCode, route: Route | undefined): Words {
  const about = code === "unhealthy" && route !== undefined ? STATUS_WORDS[route.status] : undefined;
  return about ?? WORDS[code];
}

/** `app`, or `app@staging` for another environment than production. */
function appName(route: Route): string {
  return route.environment === "production" ? route.app : `${route.app}@${route.environment}`;
}

function preferred(accept: string): "html" | "json" | "text" {
  const value = accept.toLowerCase();
  const html = value.search(/text\/html|application\/xhtml/);
  const json = value.search(/application\/(problem\+)?json/);
  if (html >= 0 && (json < 0 || html < json)) return "html";
  return json >= 0 ? "json" : "text";
}

function html(
  code: string,
  status: number,
  { title, detail, passing = false }: Words,
  app: string | undefined,
): string {
  const again = passing ? `<meta http-equiv="refresh" content="${RETRY_AFTER_S}">` : "";
  const name = app === undefined ? "" : `<p class="app">${escapeHtml(app)}</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">${again}
<title>${status} ${escapeHtml(title)}</title><style>
:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0;display:grid;min-height:100vh;place-items:center}
main{max-width:34rem;padding:2rem}h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:.25rem 0}.app{font-weight:600}small{opacity:.7}
</style></head><body><main>${name}<h1>${escapeHtml(title)}</h1><p>${escapeHtml(detail)}</p><p><small>${status} &middot; ${escapeHtml(code)}</small></p></main></body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
