import { SearchPage } from "../../ui/pages/search.tsx";
import { appRef } from "../../ui/partials/app-header.tsx";
import { type SearchHit, SearchResults } from "../../ui/partials/search-results.tsx";
import type { App } from "../product/apps/app.ts";
import { list } from "../product/apps/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { answerPage, answerPart, wantsPart } from "./page.ts";
import { perform, signedIn } from "./perform.ts";

const SHOWN_HITS = 12;

const pages: SearchHit[] = [
  { kind: "page", text: "Apps", detail: "all of them, and how the box is", href: "/" },
  { kind: "page", text: "Deploy", detail: "a new app from a git repository", href: "/apps/new" },
  { kind: "page", text: "Jobs", detail: "what runs, what failed", href: "/jobs" },
  { kind: "page", text: "Box", detail: "engine, disk, memory, doctor", href: "/box" },
  { kind: "page", text: "API tokens", detail: "for CI and scripts", href: "/box/tokens" },
];

/** Parts of an app's pages, by the words people look for them with. */
const settings: { words: string; path: string; detail: string }[] = [
  {
    words: "deployments history rollback",
    path: "/deployments",
    detail: "history, return to an old release",
  },
  { words: "logs output", path: "/logs", detail: "what the instances write" },
  { words: "config variables secrets env environment", path: "/config", detail: "variables and secrets" },
  { words: "settings health check path", path: "/settings#health-title", detail: "health" },
  {
    words: "settings limits memory cpu port strategy",
    path: "/settings#limits-title",
    detail: "limits and release",
  },
  { words: "settings scale processes workers", path: "/settings#processes-title", detail: "processes" },
  { words: "settings source repository branch", path: "/settings#source-title", detail: "source" },
  { words: "settings storage volumes data", path: "/settings#storage-title", detail: "storage" },
  { words: "settings delete destroy remove", path: "/settings#danger-title", detail: "delete this app" },
];

/** Every word of the query must occur; apps come first, then their addresses, settings and pages. */
export function searchHits(query: string, apps: App[]): SearchHit[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const all = [...apps.map(appHit), ...apps.flatMap(addressHits), ...apps.flatMap(settingHits), ...pages];
  const texts = new Map(
    all.map((hit) => [hit, `${hit.text} ${hit.detail} ${hit.kind} ${wordsOf(hit)}`.toLowerCase()]),
  );
  return all.filter((hit) => words.every((word) => texts.get(hit)?.includes(word))).slice(0, SHOWN_HITS);
}

const pathOf = (app: App) => `/apps/${encodeURIComponent(appRef(app))}`;

const appHit = (app: App): SearchHit => ({
  kind: "app",
  text: appRef(app),
  detail: app.status,
  href: pathOf(app),
});

const addressHits = (app: App): SearchHit[] =>
  app.urls.map((url) => ({
    kind: "address",
    text: url.replace(/^https?:\/\//, ""),
    detail: appRef(app),
    href: pathOf(app),
  }));

const settingHits = (app: App): SearchHit[] =>
  settings.map(({ path, detail }) => ({
    kind: "setting",
    text: appRef(app),
    detail,
    href: pathOf(app) + path,
  }));

const wordsOf = ({ kind, href }: SearchHit): string =>
  kind === "setting" ? (settings.find(({ path }) => href.endsWith(path))?.words ?? "") : "";

async function search(call: RouteCall): Promise<Response> {
  const query = (call.query.get("q") ?? "").trim().slice(0, 200);
  const hits = searchHits(query, await perform(list, {}, call));
  if (wantsPart(call.request)) return answerPart(<SearchResults query={query} hits={hits} />);
  return answerPage(call.request, signedIn(call), {
    title: "Find",
    section: null,
    body: <SearchPage query={query} hits={hits} />,
  });
}

export const searchRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/search",
    permission: "apps:read",
    reason: "page: finds apps, addresses and settings",
    page: true,
    handle: search,
  },
];
