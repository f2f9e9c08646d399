import { CommandLine } from "../components/copyable.tsx";
import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";
import { Requests, type RequestsView } from "../partials/requests.tsx";

/** The requests of another period as a page of their own: a link that can be shared, and for browsers without scripts. */
export function AppRequestsPage({ app, requests }: { app: AppHeading; requests: RequestsView }) {
  return (
    <div id="page">
      <AppHeader app={app} tab="overview" />
      <Requests view={requests} appRef={appRef(app)} />
      <CommandLine command={`diplo requests -a ${appRef(app)} --period ${requests.period}`} />
    </div>
  );
}
