import { CommandLine } from "../components/copyable.tsx";
import { pathTo } from "../components/escape.ts";
import { type LogLineView, LogView } from "../components/log-view.tsx";
import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";

export interface AppLogsView {
  app: AppHeading;
  /** Whose words: the instances', or the proxy's about requests. */
  source: "app" | "router";
  /** Requests are written down. */
  accessLog: boolean;
  lines: LogLineView[];
  instances: string[];
  /** Time of the last line above, ISO 8601: what the stream goes on from. */
  after: string;
  /** Why there is no log to show, e.g. the engine does not answer. */
  trouble: string | null;
}

/** What all instances write, or the access log, followed until a person scrolls. */
export function AppLogsPage({ app, source, accessLog, lines, instances, after, trouble }: AppLogsView) {
  const ref = appRef(app);
  const asked = source === "router" ? "source=router" : "";
  return (
    <div id="page">
      <AppHeader app={app} tab="logs" />
      <SourceSwitch path={pathTo`/apps/${ref}/logs`} source={source} />
      {trouble ? (
        <p class="notice bad" role="alert" safe>
          {trouble}
        </p>
      ) : null}
      <LogView
        id="app-log"
        label={source === "router" ? `Access log of ${ref}` : `Log of ${ref}`}
        lines={lines}
        stream={`${pathTo`/apps/${ref}/logs/stream`}${asked && `?${asked}`}`}
        after={after}
        download={`${pathTo`/api/v1/apps/${ref}/logs`}?lines=10000${asked && `&${asked}`}`}
        instances={instances}
        emptyText={emptyText(source, accessLog)}
      />
      <CommandLine command={commandFor(ref, source, accessLog)} />
    </div>
  );
}

const sources = [
  { source: "app", text: "What the app prints", query: "" },
  { source: "router", text: "Requests", query: "?source=router" },
] as const;

function SourceSwitch({ path, source }: { path: string; source: AppLogsView["source"] }) {
  return (
    <nav class="tabs" aria-label="Source of the log">
      {sources.map((each) => (
        <a href={path + each.query} aria-current={each.source === source ? "page" : undefined} safe>
          {each.text}
        </a>
      ))}
    </nav>
  );
}

function emptyText(source: AppLogsView["source"], accessLog: boolean): string {
  if (source === "app")
    return "No instance has written anything yet. What the app prints to stdout and stderr appears here.";
  return accessLog
    ? "No request has come yet. Each one appears here a second after its answer."
    : "Requests are not written down. The settings have a switch for the access log.";
}

/** What shows the same, or turns on what there is nothing of yet. */
function commandFor(ref: string, source: AppLogsView["source"], accessLog: boolean): string {
  if (source === "app") return `diplo logs --tail -a ${ref}`;
  return accessLog
    ? `diplo logs --source router --tail -a ${ref}`
    : `diplo apps:set -a ${ref} --access-log json`;
}
