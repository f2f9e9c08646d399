import { AppUsagePage } from "../../ui/pages/app-usage.tsx";
import { appRef } from "../../ui/partials/app-header.tsx";
import { Usage, type UsageView } from "../../ui/partials/usage.tsx";
import { terse } from "../errors.ts";
import { info } from "../product/apps/operations.ts";
import type { Instance } from "../product/instances/instance.ts";
import { list } from "../product/instances/operations.ts";
import type { HandRoute, RouteCall } from "../route.ts";
import { answerPage, answerPart, wantsPart } from "./page.ts";
import { perform, signedIn } from "./perform.ts";

async function usage(call: RouteCall): Promise<Response> {
  const app = await perform(info, { app: call.params.app }, call);
  const measured = await measure(call, await perform(list, { app: call.params.app }, call));
  if (wantsPart(call.request)) return answerPart(<Usage usage={measured} appRef={appRef(app)} />);
  const body = <AppUsagePage app={app} usage={measured} />;
  return answerPage(call.request, signedIn(call), { title: `Usage of ${app.name}`, section: "apps", body });
}

/** One measurement takes the engine about a second; the instances are measured side by side. */
async function measure({ parts }: RouteCall, instances: Instance[]): Promise<UsageView[] | null> {
  const running = instances.filter(({ status }) => status === "running" || status === "unhealthy");
  if (running.length === 0) return [];
  try {
    const runtime = await parts.runtimes.usable();
    const measured = await Promise.all(
      running.map(async ({ name, process, slot }) => {
        const stats = await runtime.stats(name);
        return stats ? { instance: `${process}.${slot}`, ...stats } : null;
      }),
    );
    return measured.filter((each) => each !== null);
  } catch (error) {
    parts.log.debug("usage not measured", { error: terse(error) });
    return null;
  }
}

export const appUsageRoutes: HandRoute[] = [
  {
    method: "GET",
    path: "/apps/:app/usage",
    permission: "apps:read",
    reason: "page part: what the instances use now, asked of the engine",
    page: true,
    handle: usage,
  },
];
