import { Copyable } from "../components/copyable.tsx";
import { pathTo, safeHref } from "../components/escape.ts";
import { Icon } from "../components/icon.tsx";
import { appState, State } from "../components/state.tsx";

/** What every page of an app says first: which app, how it is, where it answers. */
export interface AppHeading {
  name: string;
  environment: string;
  status: string;
  url: string;
  /** null = nothing of it serves yet: its address leads nowhere. */
  release: number | null;
}

export type AppTab = "overview" | "deployments" | "logs" | "config" | "settings";

/** `blog`, or `blog@staging` for another environment than production. */
export const appRef = (app: { name: string; environment: string }): string =>
  app.environment === "production" ? app.name : `${app.name}@${app.environment}`;

const tabs: { tab: AppTab; text: string; path: string }[] = [
  { tab: "overview", text: "Overview", path: "" },
  { tab: "deployments", text: "Deployments", path: "/deployments" },
  { tab: "logs", text: "Logs", path: "/logs" },
  { tab: "config", text: "Config", path: "/config" },
  { tab: "settings", text: "Settings", path: "/settings" },
];

export function AppHeader({ app, tab }: { app: AppHeading; tab: AppTab | null }) {
  const base = pathTo`/apps/${appRef(app)}`;
  return (
    <header id="app-head" class="apphead">
      <div class="headline">
        <h1 safe>{appRef(app)}</h1>
        <State {...appState(app.status)} />
        {app.release === null ? null : (
          <span class="where">
            <a href={safeHref(app.url)} rel="noopener" target="_blank">
              <span safe>{app.url.replace(/^https?:\/\//, "")}</span> <Icon name="out" />
            </a>
            <Copyable value={app.url} show="" label="the address" />
          </span>
        )}
      </div>
      <nav class="tabs" aria-label="App">
        {tabs.map((each) => (
          <a href={base + each.path} aria-current={each.tab === tab ? "page" : undefined} safe>
            {each.text}
          </a>
        ))}
      </nav>
    </header>
  );
}
