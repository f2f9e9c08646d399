import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";
import { Usage, type UsageView } from "../partials/usage.tsx";

/** The measurements as a page of their own, for browsers without scripts. */
export function AppUsagePage({ app, usage }: { app: AppHeading; usage: UsageView[] | null }) {
  return (
    <div id="page">
      <AppHeader app={app} tab="overview" />
      <Usage usage={usage} appRef={appRef(app)} />
    </div>
  );
}
