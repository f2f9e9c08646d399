import { AppRequestsPage } from "../../ui/pages/app-requests.tsx";
import { appRef } from "../../ui/partials/app-header.tsx";
import { Requests, type RequestsView } from "../../ui/partials/requests.tsx";
import { info } from "../product/apps/operations.ts";
import { percentile } from "../product/requests/latency.ts";
import { list } from "../product/requests/operations.ts";
import { PERIODS, type Period } from "../product/requests/periods.ts";
import { add, emptySlot } from "../product/requests/request-slots.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { answerPage, answerPart, wantsPart } from "./page.ts";
import { perform, signedIn } from "./perform.ts";

/** What the section draws. An unknown period is the default: it may come from an old link. */
export async function requestsView(call: RouteCall, wanted: string | null): Promise<RequestsView> {
  const period = wanted !== null && Object.hasOwn(PERIODS, wanted) ? (wanted as Period) : "24h";
  const slots = await perform(list, { app: call.params.app, period }, call);
  return { period, slots, ...wholeLatency(call, period) };
}

function wholeLatency({ parts, params }: RouteCall, period: Period) {
  const environment = parts.environments.find(params.app ?? "");
  const whole = emptySlot(0);
  const { period_s, interval_s } = PERIODS[period];
  for (const slot of parts.requests.history(environment.id, period_s, interval_s)) add(whole, slot);
  const within = (share: number) => percentile(whole.histogram, share);
  return { p50_ms: within(0.5), p95_ms: within(0.95), p99_ms: within(0.99) };
}

async function requests(call: RouteCall): Promise<Response> {
  const app = await perform(info, { app: call.params.app }, call);
  const view = await requestsView(call, new URL(call.request.url).searchParams.get("period"));
  if (wantsPart(call.request)) return answerPart(<Requests view={view} appRef={appRef(app)} />);
  const body = <AppRequestsPage app={app} requests={view} />;
  return answerPage(call.request, signedIn(call), {
    title: `Requests of ${app.name}`,
    section: "apps",
    body,
  });
}

export const appRequestsRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/:app/requests",
    permission: "apps:read",
    reason: "page and page part: requests over time",
    page: true,
    handle: requests,
  },
];
