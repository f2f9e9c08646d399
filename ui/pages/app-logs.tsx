import { CommandLine } from "../components/copyable.tsx";
import { pathTo } from "../components/escape.ts";
import { type LogLineView, LogView } from "../components/log-view.tsx";
import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";

export interface AppLogsView {
  app: AppHeading;
  lines: LogLineView[];
  instances: string[];
  /** Time of the last line above, ISO 8601: what the stream goes on from. */
  after: string;
  /** Why there is no log to show, e.g. the engine does not answer. */
  trouble: string | null;
}

/** What all instances write, followed until a person scrolls. */
export function AppLogsPage({ app, lines, instances, after, trouble }: AppLogsView) {
  const ref = appRef(app);
  return (
    <div id="page">
      <AppHeader app={app} tab="logs" />
      {trouble ? (
        <p class="notice bad" role="alert" safe>
          {trouble}
        </p>
      ) : null}
      <LogView
        id="app-log"
        label={`Log of ${ref}`}
        lines={lines}
        stream={pathTo`/apps/${ref}/logs/stream`}
        after={after}
        download={`${pathTo`/api/v1/apps/${ref}/logs`}?lines=10000`}
        instances={instances}
        emptyText="No instance has written anything yet. What the app prints to stdout and stderr appears here."
      />
      <CommandLine command={`diplo logs --tail -a ${ref}`} />
    </div>
  );
}
