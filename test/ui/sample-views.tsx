import { AppPage, type AppView } from "../../ui/pages/app.tsx";
import { AppConfigPage, type AppConfigView } from "../../ui/pages/app-config.tsx";
import { AppLogsPage, type AppLogsView } from "../../ui/pages/app-logs.tsx";
import { AppRequestsPage } from "../../ui/pages/app-requests.tsx";
import { AppSettingsPage, type AppSettingsView } from "../../ui/pages/app-settings.tsx";
import { AppUsagePage } from "../../ui/pages/app-usage.tsx";
import { BoxPage, type BoxView } from "../../ui/pages/box.tsx";
import { ConfigRawPage, type ConfigRawView } from "../../ui/pages/config-raw.tsx";
import { DeploymentPage, type DeploymentView } from "../../ui/pages/deployment.tsx";
import { DeploymentsPage, type DeploymentsView } from "../../ui/pages/deployments.tsx";
import { ErrorPage, type ErrorView } from "../../ui/pages/error.tsx";
import { HomePage, type HomeView } from "../../ui/pages/home.tsx";
import { JobsPage, type JobsView } from "../../ui/pages/jobs.tsx";
import { NewAppPage, type NewAppView } from "../../ui/pages/new-app.tsx";
import { NewImagePage, type NewImageView } from "../../ui/pages/new-image.tsx";
import { RegistriesPage, type RegistriesView } from "../../ui/pages/registries.tsx";
import { SearchPage } from "../../ui/pages/search.tsx";
import { SignInPage, type SignInView } from "../../ui/pages/sign-in.tsx";
import { TokensPage, type TokensView } from "../../ui/pages/tokens.tsx";
import type { SearchHit } from "../../ui/partials/search-results.tsx";

export const now = Date.parse("2026-11-21T12:00:00.000Z");
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();

const requests = Array.from({ length: 48 }, (_, i) => ({
  start: now - (48 - i) * 1_800_000,
  requests: Math.round(60 + 50 * Math.sin(i / 5)),
  errors: i === 30 ? 12 : 0,
}));

const requestsOf = (period: string, slots = 96) => ({
  period,
  p50_ms: 4.2,
  p95_ms: 38,
  p99_ms: 10_000,
  slots: Array.from({ length: slots }, (_, i) => {
    const count = Math.round(200 + 150 * Math.sin(i / 9));
    const errors = i % 40 === 3 ? 25 : 0;
    const quiet = i > 20 && i < 26;
    return {
      timestamp: new Date(now - (slots - 1 - i) * 900_000).toISOString(),
      requests: quiet ? 0 : count + errors + 30,
      errors: quiet ? 0 : errors,
      status: quiet
        ? { "1xx": 0, "2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0 }
        : { "1xx": 2, "2xx": count - 2, "3xx": 20, "4xx": 10, "5xx": errors },
      p50_ms: quiet ? null : 3 + Math.sin(i / 7),
      p95_ms: quiet ? null : 30 + 10 * Math.sin(i / 5),
      p99_ms: quiet ? null : 90 + 60 * Math.sin(i / 4),
      bytes_in: quiet ? 0 : count * 300,
      bytes_out: quiet ? 0 : count * 9_000,
      in_flight: i % 7,
    };
  }),
});

const heading = {
  name: "blog",
  environment: "production",
  status: "running",
  url: "http://blog.local",
  release: 4,
};

const failure = {
  code: "build_failed",
  title: "The build failed",
  detail: "The command npm run build ended with code 1.",
  evidence: ["\u001b[31merror\u001b[0m: Cannot find module './missing'", "    at build.js:3"],
  hint: "Run the same command on your machine, then push the fix.",
};

const recent = {
  id: "01JD8Z0000000000000000DEPL",
  status: "success",
  trigger: "user",
  created_by: "owner",
  commit: "4f0c2d19a8e7b6c5d4e3f2a1b0c9d8e7f6a5b4c3",
  commit_message: "Fix the feed\n\nLonger text",
  release: 14,
  created_at: ago(180),
  current: true,
};

const appRow = {
  ...heading,
  release: 14,
  commit_message: "Fix the feed",
  deployed_at: ago(180),
  deployment_id: null,
  error: null,
  instances: { wanted: 2, running: 2 },
  requests,
};

export const homeView: HomeView = {
  box: {
    engine: { kind: "live", word: "docker 26.1.5" },
    disk: { total_bytes: 120e9, used_bytes: 74e9, free_bytes: 46e9 },
    memory: { total_bytes: 8e9, used_bytes: 3.1e9, free_bytes: 4.9e9 },
    temperature_c: 52,
    queue: 0,
    healed: { what: "web.1 of blog", at: ago(40) },
  },
  recent: [{ ...recent, appRef: "blog" }],
  apps: [
    appRow,
    {
      ...appRow,
      name: "shop",
      url: "http://shop.local",
      status: "error",
      error: failure,
      requests: [],
    },
    { ...appRow, name: "wiki", status: "redeploying", deployment_id: "01HX" },
    { ...appRow, name: "notes", status: "stopped", instances: { wanted: 0, running: 0 } },
  ],
  now,
  notice: { text: "Deleted.", undo: { action: "/undo", fields: { name: "blog" } } },
};

export const appView: AppView = {
  app: {
    ...heading,
    urls: ["http://blog.local", "http://192.168.1.20:3000"],
    release: 14,
    commit: recent.commit,
    commit_message: recent.commit_message,
    deployed_at: ago(180),
    deployed_by: "owner",
    deployment_id: "01HX",
    instances: { wanted: 2, running: 2 },
  },
  failure,
  instances: [
    {
      id: "01I",
      name: "diplo-blog-web-1",
      process: "web",
      release: 14,
      status: "running",
      routed: true,
      address: "10.213.0.2:8080",
      restarts: 2,
      last_exit: { exit_code: 137, oom_killed: true, at: ago(300) },
      created_at: ago(180),
    },
  ],
  recent: [recent, { ...recent, status: "failed", release: null }],
  requests: requestsOf("24h"),
  now,
  notice: { text: "Stopped.", link: { href: "/deployments/01HX", text: "Watch it" } },
};

const phase = (
  name: string,
  status: "pending" | "running" | "done" | "failed" | "skipped",
  ms: number | null,
) => ({
  name,
  status,
  started_at: status === "pending" ? null : ago(1),
  duration_ms: ms,
});

const previousPhases = [
  phase("fetching", "done", 800),
  phase("planning", "done", 40),
  phase("building", "done", 16_000),
  phase("releasing", "done", 100),
  phase("starting", "done", 600),
  phase("verifying", "done", 1500),
  phase("routing", "done", 120),
];

export const deploymentView: DeploymentView = {
  app: { ...heading, status: "redeploying" },
  deployment: {
    id: recent.id,
    status: "building",
    message: "step 4 of 9: npm ci",
    trigger: "user",
    created_by: "owner",
    commit: recent.commit,
    commit_message: recent.commit_message,
    author: "Ada",
    release: null,
    created_at: ago(2),
    finished_at: null,
    error: null,
    warnings: [],
  },
  origin: "main",
  returnTo: null,
  current: false,
  phases: [
    phase("fetching", "done", 900),
    phase("planning", "done", 50),
    phase("building", "running", null),
    ...["releasing", "starting", "verifying", "routing"].map((name) => phase(name, "pending", null)),
  ],
  previous: previousPhases,
  now,
  log: [{ text: "#1 \u001b[1mload build definition\u001b[0m" }, { text: "\u001b[32mdone\u001b[0m in 0.1 s" }],
  logEnd: 812,
};

export const failedDeploymentView: DeploymentView = {
  ...deploymentView,
  deployment: { ...deploymentView.deployment, status: "failed", error: failure, finished_at: ago(1) },
};

export const deploymentsView: DeploymentsView = {
  app: heading,
  deployments: [
    {
      ...recent,
      error: null,
      finished_at: ago(179),
      differences: ["commit 1a2b3c4 → 4f0c2d1", "config LOG_LEVEL"],
      current: true,
      mayReturn: false,
    },
    {
      ...recent,
      id: "01B",
      release: 13,
      error: null,
      finished_at: ago(1400),
      differences: [],
      current: false,
      mayReturn: true,
    },
    {
      ...recent,
      id: "01C",
      status: "failed",
      release: null,
      error: failure,
      finished_at: ago(2000),
      differences: [],
      current: false,
      mayReturn: false,
    },
  ],
  older: "?offset=25",
  now,
};

export const logsView: AppLogsView = {
  app: heading,
  source: "app",
  accessLog: true,
  lines: [
    { text: "listening on 8080", at: "2026-11-21T11:59:00.000Z", instance: "web.1", stream: "stdout" },
    {
      text: "\u001b[31mError: no\u001b[0m",
      at: "2026-11-21T11:59:01.000Z",
      instance: "worker.1",
      stream: "stderr",
    },
  ],
  instances: ["web.1", "worker.1"],
  after: "2026-11-21T11:59:01.000Z",
  trouble: "No container engine answers on this box.",
};

export const configView: AppConfigView = {
  app: heading,
  vars: [
    { name: "DATABASE_URL", value: null, version: 3, updated_at: ago(3000), updated_by: "owner" },
    {
      name: "LOG_LEVEL",
      value: "debug\nsecond line",
      version: 1,
      updated_at: ago(30),
      updated_by: "token ci",
    },
  ],
  draft: { name: "BAD NAME", value: "typed\nvalue" },
  errors: { name: "Letters, digits and _ only", value: "Too long" },
  now,
  notice: { text: "Saved.", undo: { action: "/apps/blog/config", fields: { name: "A", value: "b" } } },
};

export const rawView: ConfigRawView = {
  app: heading,
  dotenv: "A=1\nB='two words'\n",
  changes: [
    { name: "A", kind: "changed", before: "0", after: "1" },
    { name: "B", kind: "added", before: null, after: "two words" },
    { name: "C", kind: "removed", before: "x", after: null },
  ],
  errors: { dotenv: "line 3 is not NAME=value" },
};

const newDeployKey = {
  public_key: "ssh-ed25519 AAAAC3 diplo-blog",
  fingerprint: "SHA256:abc",
  add_at: "https://git.example/you/blog/settings/keys",
  ssh_hosts: [{ host: "git.example", fingerprint: "SHA256:def" }],
};

export const settingsView: AppSettingsView = {
  app: { ...heading, port: 3000 },
  values: {
    "health.type": "http",
    "health.path": "/up",
    "health.start_deadline_s": "60",
    "health.interval_s": "10",
    "health.timeout_s": "5",
    "health.unhealthy_after": "3",
    "limits.memory": "512m",
    "limits.cpus": "",
    "limits.pids": "512",
    port: "",
    strategy: "rolling",
    drain_s: "30",
    stop_grace_s: "10",
    build_timeout_s: "1800",
    balance: "least_connections",
    sticky: "true",
    idle_timeout_s: "600",
    wake_deadline_s: "60",
  },
  errors: { "limits.memory": "As in 512m", confirm: "Type the name" },
  processes: [
    { process: "web", served_by: "container", quantity: 2, command: ["node", "server.js"], from: "Procfile" },
    { process: "worker", served_by: "container", quantity: 1, command: null, from: "image" },
  ],
  source: {
    kind: "git",
    repo_url: "https://git.example/you/blog",
    branch: "main",
    tag: null,
    commit: null,
    image: null,
    subdirectory: "site",
  },
  access: {
    deployKey: newDeployKey,
    credentials: [{ kind: "password", origin: "https://git.example", username: "ada" }],
    overHttps: true,
  },
  watch: { watch_paths: "site\nshared/**", ignore_paths: "**/*.md", path_filter: "strict" },
  volumes: [{ name: "data", mount_path: "/data", process: "*", read_only: true }],
  draft: { mount_path: "/uploads", confirm: "blgo" },
};

export const newAppView: NewAppView = {
  repoUrl: "https://git.example/you/blog",
  found: {
    repo_url: "https://git.example/you/blog",
    commit: recent.commit,
    branches: ["main", "next"],
    provider: "node",
    findings: [
      { label: "Builder", value: "node", from: "package.json" },
      { label: "Node", value: "22", from: "engines.node in package.json" },
    ],
    warnings: ["No lockfile: versions may differ from build to build."],
    config: [
      {
        name: "SECRET",
        value: "",
        description: "what it is for",
        required: true,
        secret: true,
        generated: false,
        pattern: "[a-z]+",
        from: ".env.example",
      },
    ],
  },
  deployKey: {
    app: "blog",
    made: newDeployKey,
  },
  sealed: "c2VhbGVk",
  sealedFor: "git.example",
  username: "ada",
  name: "blog",
  branch: "main",
  extra: "X=1",
  errors: { name: "must be a DNS label" },
  failure,
  mayReplace: true,
};

export const jobsView: JobsView = {
  jobs: [
    {
      id: "01J",
      type: "deployment",
      status: "running",
      step: "building",
      message: "npm ci",
      attempts: 2,
      error: null,
      created_by: "owner",
      created_at: ago(1),
      started_at: ago(1),
      finished_at: null,
      app: "blog",
      deployment: "01J",
    },
    {
      id: "01K",
      type: "drain",
      status: "failed",
      step: "stopping",
      message: "",
      attempts: 6,
      error: failure,
      created_by: "diplo",
      created_at: ago(90),
      started_at: ago(90),
      finished_at: ago(88),
      app: null,
      deployment: null,
    },
  ],
  filter: "open",
  now,
};

export const boxView: BoxView = {
  system: {
    version: "0.1.0",
    box_id: "01BOX",
    hostname: "pantry",
    architecture: "arm64",
    uptime_seconds: 90_000,
    data: "/var/lib/diplo",
    dashboard_urls: ["http://pantry.local:8080"],
    proxy: { pid: 412, generation: 9, connections: 31 },
    settings: { http: "0.0.0.0:80" },
  },
  stats: {
    apps: 4,
    running: 3,
    ports_used: 4,
    disk: { total_bytes: 120e9, used_bytes: 110e9, free_bytes: 10e9 },
    memory: { total_bytes: 8e9, used_bytes: 3.1e9, free_bytes: 4.9e9 },
    load: [0.42, 0.3, 0.2],
    cpus: 4,
    temperature_c: 52,
  },
  runtimes: [
    {
      type: "docker",
      address: "unix:///var/run/docker.sock",
      version: "26.1.5",
      available: true,
      reason: null,
      warnings: ["The memory cgroup is off."],
    },
    { type: "podman", address: "", version: "", available: false, reason: "No socket.", warnings: [] },
  ],
  checks: [
    { name: "engine", status: "ok", detail: "docker 26.1.5 answers", remedy: null },
    { name: "disk", status: "fault", detail: "8 % free", remedy: "Make room." },
    { name: "clock", status: "warning", detail: "not synchronised", remedy: "timedatectl set-ntp true" },
  ],
};

export const tokensView: TokensView = {
  tokens: [
    {
      id: "01T",
      name: "ci",
      prefix: "dpl_abcd",
      permissions: ["deploy", "apps:read"],
      created_at: ago(9000),
      last_used_at: ago(5),
      expires_at: ago(-90_000),
    },
  ],
  created: { name: "laptop", token: "dpl_0123456789" },
  draft: { name: "", scope: "deploy", expires_in_days: "90" },
  errors: { name: "must be text" },
  now,
};

export const newImageView: NewImageView = {
  image: "ghcr.io/you/app:1.2",
  name: "app",
  port: "8080",
  errors: { image: "is not the name of an image" },
  failure,
  mayReplace: true,
};

export const registriesView: RegistriesView = {
  registries: [
    { id: "01R", server: "ghcr.io", username: "you", created_by: "owner", created_at: ago(60 * 24 * 3) },
  ],
  draft: { server: "registry.lan/you", username: "you" },
  errors: { server: "Give the host alone" },
  failure,
  notice: { text: "ghcr.io lets the box in as you." },
  now,
};

export const errorView: ErrorView = {
  status: 404,
  title: "There is nothing here",
  detail: "No such app.",
  hint: "diplo apps",
};
export const signInView: SignInView = { error: "This sign-in link was used already.", fromLink: true };
const hits: SearchHit[] = [{ kind: "app", text: "blog", detail: "running", href: "/apps/blog" }];

export interface SamplePage {
  name: string;
  view: object;
  render(view: never): JSX.Element;
}

/** Every page with a view that shows all it can show. */
export const samplePages: SamplePage[] = [
  { name: "home", view: homeView, render: (view: HomeView) => <HomePage {...view} /> },
  { name: "app", view: appView, render: (view: AppView) => <AppPage {...view} /> },
  {
    name: "deployment",
    view: deploymentView,
    render: (view: DeploymentView) => <DeploymentPage {...view} />,
  },
  {
    name: "deployment-failed",
    view: failedDeploymentView,
    render: (view: DeploymentView) => <DeploymentPage {...view} />,
  },
  {
    name: "deployments",
    view: deploymentsView,
    render: (view: DeploymentsView) => <DeploymentsPage {...view} />,
  },
  { name: "logs", view: logsView, render: (view: AppLogsView) => <AppLogsPage {...view} /> },
  {
    name: "usage",
    view: {
      app: heading,
      usage: [{ instance: "web.1", memory_bytes: 50e6, memory_limit_bytes: 512e6, cpu_percent: 3.2 }],
    },
    render: (view: Parameters<typeof AppUsagePage>[0]) => <AppUsagePage {...view} />,
  },
  {
    name: "requests",
    view: { app: heading, requests: requestsOf("1h", 120) },
    render: (view: Parameters<typeof AppRequestsPage>[0]) => <AppRequestsPage {...view} />,
  },
  { name: "config", view: configView, render: (view: AppConfigView) => <AppConfigPage {...view} /> },
  { name: "config-raw", view: rawView, render: (view: ConfigRawView) => <ConfigRawPage {...view} /> },
  { name: "settings", view: settingsView, render: (view: AppSettingsView) => <AppSettingsPage {...view} /> },
  { name: "new-app", view: newAppView, render: (view: NewAppView) => <NewAppPage {...view} /> },
  { name: "jobs", view: jobsView, render: (view: JobsView) => <JobsPage {...view} /> },
  { name: "box", view: boxView, render: (view: BoxView) => <BoxPage {...view} /> },
  { name: "tokens", view: tokensView, render: (view: TokensView) => <TokensPage {...view} /> },
  {
    name: "new-image",
    view: newImageView,
    render: (view: NewImageView) => <NewImagePage {...view} />,
  },
  {
    name: "registries",
    view: registriesView,
    render: (view: RegistriesView) => <RegistriesPage {...view} />,
  },
  { name: "sign-in", view: signInView, render: (view: SignInView) => <SignInPage {...view} /> },
  { name: "error", view: errorView, render: (view: ErrorView) => <ErrorPage {...view} /> },
  {
    name: "search",
    view: { query: "bl", hits },
    render: (view: { query: string; hits: SearchHit[] }) => <SearchPage {...view} />,
  },
];
