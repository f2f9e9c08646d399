import type { App } from "../../product/apps/app.ts";
import { joinRef } from "../../product/apps/app-name.ts";
import { paintState } from "../colour.ts";
import { ago, shortCommit } from "../readable.ts";
import { pairs, table } from "../table.ts";
import { explain } from "./explain.ts";
import type { View } from "./view-facts.ts";

const nameOf = ({ name, environment }: App): string => joinRef(name, environment);
const releaseOf = ({ release }: App): string => (release === null ? "-" : `v${release}`);

export const appList: View<App[]> = (apps, { paint, now }) => {
  if (apps.length === 0) return "No apps yet. Deploy one: diplo deploy <git-url|dir>\n";
  return table<App>(
    [
      { title: "APP", cell: nameOf },
      { title: "STATE", cell: (app) => paintState(paint, app.status) },
      { title: "RELEASE", cell: releaseOf },
      { title: "UP", cell: ({ instances }) => `${instances.running}/${instances.wanted}`, right: true },
      { title: "DEPLOYED", cell: (app) => ago(app.deployed_at, now) },
      { title: "ADDRESS", cell: (app) => app.url },
    ],
    apps,
  );
};

export const appInfo: View<App> = (app, { paint, now }) => {
  const { health, limits } = app.settings;
  const facts: [string, string][] = [
    ["app", nameOf(app)],
    ["state", paintState(paint, app.status)],
    ["addresses", app.urls.join("  ")],
    ["release", releaseText(app)],
    ["deployed", app.deployed_at ? `${ago(app.deployed_at, now)} by ${app.deployed_by ?? "-"}` : "never"],
    ["instances", `${app.instances.running} of ${app.instances.wanted} running`],
    ["source", sourceText(app)],
    ["health", health.type === "http" ? `HTTP ${health.path}` : health.type],
    ["limits", `memory ${limits.memory}, cpus ${limits.cpus ?? "any"}, pids ${limits.pids}`],
    ["balance", balanceText(app)],
    ["sleeps", sleepText(app)],
    ["runtime", app.runtime_type],
  ];
  return pairs(facts) + (app.error ? `\n${explain(app.error, paint)}` : "");
};

function releaseText(app: App): string {
  if (app.release === null) return "none yet";
  return [releaseOf(app), app.commit && shortCommit(app.commit), app.commit_message]
    .filter(Boolean)
    .join("  ");
}

function balanceText({ settings }: App): string {
  return settings.sticky ? `${settings.balance}, sticky` : settings.balance;
}

function sleepText({ settings: { idle_timeout_s, wake_deadline_s } }: App): string {
  if (idle_timeout_s === null) return "never";
  return `after ${idle_timeout_s} s without use; a request that wakes it waits up to ${wake_deadline_s} s`;
}

function sourceText({ source }: App): string {
  if (!source) return "-";
  if (source.image !== null) return `image ${source.image}`;
  const where = source.kind === "git" ? (source.repo_url ?? "git") : "uploaded directory";
  const ref = source.branch ?? source.tag ?? source.commit;
  return `${where}${ref ? ` (${ref})` : ""}${source.subdirectory ? ` in ${source.subdirectory}` : ""}`;
}

interface Health {
  status: string;
  message: string;
  instances: {
    id: string;
    process: string;
    healthy: boolean;
    http_status_code: number | null;
    response_time_ms: number | null;
    message: string;
  }[];
}

export const health: View<Health> = ({ status, message, instances }, { paint }) => {
  const head = `${paintState(paint, status)}${message ? `: ${message}` : ""}\n`;
  if (instances.length === 0) return head;
  return (
    head +
    table(
      [
        { title: "PROCESS", cell: (row) => row.process },
        { title: "HEALTH", cell: (row) => paintState(paint, row.healthy ? "healthy" : "unhealthy") },
        { title: "HTTP", cell: (row) => String(row.http_status_code ?? "-"), right: true },
        { title: "MS", cell: (row) => row.response_time_ms?.toFixed(0) ?? "-", right: true },
        { title: "MESSAGE", cell: (row) => row.message },
      ],
      instances,
    )
  );
};
