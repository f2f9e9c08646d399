import { DiploError } from "../errors.ts";
import type { HandRoute } from "../route.ts";
import { ownAssets } from "./assets.ts";

function asset(file: string, request: Request): Response {
  const found = ownAssets().find(file);
  if (!found)
    throw new DiploError("not_found", "no such asset", {
      status: 404,
      detail: "There is nothing at this address.",
    });
  return found.answer(request.headers.get("accept-encoding"));
}

export const assetRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/assets/:file",
    permission: "public",
    reason: "static files of the dashboard, the same for everyone",
    handle: ({ params, request }) => asset(params.file ?? "", request),
  },
  {
    method: "GET",
    path: "/favicon.ico",
    permission: "public",
    reason: "browsers ask for it by themselves",
    handle: () => new Response(null, { status: 308, headers: { location: ownAssets().urls.favicon } }),
  },
];
