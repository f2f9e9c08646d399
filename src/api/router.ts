import { Elysia } from "elysia";
import { DiploError } from "../errors.ts";
import type { HandRoute } from "../route.ts";

export type Handle = (
  route: HandRoute,
  request: Request,
  params: Record<string, string>,
) => Promise<Response>;

export interface RouterOptions {
  routes: readonly HandRoute[];
  /** Runs a matched route, guard included: there is no way to a handler around it. */
  handle: Handle;
  /** Answers when no route matches; `allowed` are the methods the path does answer. */
  unmatched: (request: Request, allowed: string[]) => Promise<Response> | Response;
}

/** Elysia as the router: every route is registered with its own row, so that nothing is decided on the path's text. */
export function createRouter({
  routes,
  handle,
  unmatched,
}: RouterOptions): (request: Request) => Promise<Response> {
  refuseDuplicates(routes);
  // Else the path of `http://pi/apps` is sought past the 11th character, and a short host name finds no route.
  const app = new Elysia({ handler: { standardHostname: false } });
  // parse none: the body stays unread until the guard has let the request through.
  // parse none: the body stays unread until the guard has let the request through. Paths without parameters have
  // no `params` at all.
  for (const route of routes)
    app.route(route.method, route.path, ({ request, params }) => handle(route, request, params ?? {}), {
      parse: "none",
    });
  app.onError(({ request, error }) => {
    // Nothing but "no route" gets here: `handle` answers everything else itself.
    const allowed = methodsOf(routes, new URL(request.url).pathname);
    if ((error as { code?: string }).code === "NOT_FOUND") return unmatched(request, allowed);
    throw error;
  });
  return async (request) => app.fetch(request);
}

/** The methods that some route answers at this path. */
function methodsOf(routes: readonly HandRoute[], path: string): string[] {
  const segments = split(path);
  const matching = routes.filter((route) => {
    const pattern = split(route.path);
    return (
      pattern.length === segments.length &&
      pattern.every((part, at) => part.startsWith(":") || part === segments[at])
    );
  });
  return [...new Set(matching.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method])))];
}

const split = (path: string) => path.replace(/\/$/, "").split("/");

// Elysia lets the later one win in silence.
function refuseDuplicates(routes: readonly HandRoute[]): void {
  const seen = new Set<string>();
  for (const { method, path } of routes) {
    const shape = `${method} ${path.replace(/:\w+/g, ":")}`;
    if (seen.has(shape)) throw new DiploError("duplicate_route", `two routes claim ${method} ${path}`);
    seen.add(shape);
  }
}
