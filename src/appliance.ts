import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { ulid } from "ulid";
import { ControlServer } from "./api/control-server.ts";
import { type Config, paths } from "./config.ts";
import { checkPool, readRoutes } from "./engine/network/address-plan.ts";
import { BridgeSubnets } from "./engine/network/bridge-subnets.ts";
import { detectRuntimes } from "./engine/runtime/detect.ts";
import { Runtimes } from "./engine/runtime/runtimes.ts";
import { Sites } from "./engine/site/sites.ts";
import { GitCache } from "./engine/source/git-cache.ts";
import { terse } from "./errors.ts";
import { JobRunner, type JobRunnerOptions } from "./jobs/job-runner.ts";
import type { Log } from "./log.ts";
import { Apps } from "./product/apps/apps.ts";
import { ConfigVars } from "./product/config/config-vars.ts";
import { Deployments } from "./product/deployments/deployments.ts";
import { Doctor } from "./product/doctor/doctor.ts";
import { Environments } from "./product/environments/environments.ts";
import { Events } from "./product/events/events.ts";
import { ExitWatch } from "./product/healing/exit-watch.ts";
import { Healing } from "./product/healing/healing.ts";
import { HealthWatch } from "./product/healing/health-watch.ts";
import { Housekeeping } from "./product/healing/housekeeping.ts";
import { SiteHealing } from "./product/healing/site-healing.ts";
import { InstanceRows } from "./product/instances/instance-rows.ts";
import { Instances } from "./product/instances/instances.ts";
import { operations } from "./product/operations.ts";
import type { Parts } from "./product/parts.ts";
import { Registries } from "./product/registries/registries.ts";
import { Releases } from "./product/releases/releases.ts";
import { RequestSlots } from "./product/requests/request-slots.ts";
import { ProxyClient } from "./product/routes/proxy-client.ts";
import { ProxyEventsServer } from "./product/routes/proxy-events.ts";
import { ProxyProcess } from "./product/routes/proxy-process.ts";
import { Routes } from "./product/routes/routes.ts";
import { IdleWatch } from "./product/sleep/idle-watch.ts";
import { Credentials } from "./product/sources/credentials.ts";
import { Uploads } from "./product/sources/uploads.ts";
import { SystemFacts } from "./product/system/system-facts.ts";
import { Volumes } from "./product/volumes/volumes.ts";
import { Audit } from "./security/audit/audit.ts";
import { Access, SESSION_COOKIE } from "./security/auth/access.ts";
import { Vault } from "./security/vault/vault.ts";
import { lockData } from "./store/data-lock.ts";
import { openStore } from "./store/open.ts";
import type { Store } from "./store/store.ts";
import { errorPage } from "./web/error-page.tsx";
import { webRoutes } from "./web/web-routes.ts";

/** Where a crash test pulls the plug; nothing else sets it. */
export interface ApplianceHooks {
  beforeCommit?: JobRunnerOptions["beforeCommit"];
}

/** Every part of `diplo serve`, built once, started in order and stopped in reverse. */
export class Appliance {
  private constructor(
    readonly parts: Parts,
    private readonly stack: AsyncDisposableStack,
  ) {}

  /** Answers when the dashboard and the API do. Throws before anything listens when the box cannot work. */
  static async start(settings: Config, log: Log, hooks: ApplianceHooks = {}): Promise<Appliance> {
    const stack = new AsyncDisposableStack();
    try {
      await makeDirectories(settings);
      stack.use(lockData(paths.lock(settings.data)));
      checkPool(settings.pool, await readRoutes());
      const store = await openStore({
        file: paths.database(settings.data),
        backups: paths.backups(settings.data),
        established: existsSync(paths.masterKey(settings.data)),
        log,
      });
      stack.defer(() => store.close());
      const built = await build(settings, log, store, hooks);
      await start(built, settings, log, stack);
      return new Appliance(built.parts, stack);
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.stack.disposeAsync();
  }
}

type Built = Awaited<ReturnType<typeof build>>;

async function makeDirectories({ data }: Config): Promise<void> {
  await mkdir(data, { recursive: true, mode: 0o711 });
  for (const path of [
    paths.work(data),
    paths.uploads(data),
    paths.repositories(data),
    paths.backups(data),
    paths.jobLogs(data),
    paths.proxyDirectory(data),
  ])
    await mkdir(path, { recursive: true, mode: 0o750 });
}

async function build(settings: Config, log: Log, store: Store, hooks: ApplianceHooks) {
  const boxId = ensureBox(store);
  const vault = await Vault.open({
    keyFile: paths.masterKey(settings.data),
    store,
    preload: false,
  });
  const runtimes = new Runtimes({
    log,
    detect: () => detectRuntimes({ dockerHost: settings.dockerHost, log }),
    connect: async (info) => {
      const { connectDocker } = await import("./engine/runtime/docker/docker-runtime.ts");
      return connectDocker({ address: info.address, boxId, log, type: info.type });
    },
  });
  const registries = new Registries({ store, vault, runtimes });
  const events = new Events(store);
  const jobs = new JobRunner({ store, events, log, logs: paths.jobLogs(settings.data), ...hooks });
  const environments = new Environments({ store, settings, runtimes });
  const rows = new InstanceRows(store, () => boxId);
  const releases = new Releases({ store, environments });
  const proxy = new ProxyClient(paths.proxySocket(settings.data));
  const routes = new Routes({
    store,
    settings,
    environments,
    releases,
    instances: rows,
    proxy,
    ownCookies: [SESSION_COOKIE],
    log,
  });
  const gitCache = new GitCache(paths.repositories(settings.data), settings.caFile);
  const credentials = new Credentials({ store, vault });
  const uploads = new Uploads({ settings, environments });
  const sites = new Sites(paths.sites(settings.data));
  const config = new ConfigVars({ store, vault, environments, deployments: () => deployments });
  const volumes = new Volumes({ store, environments, runtimes, deployments: () => deployments });
  const shared = {
    store,
    settings,
    log,
    jobs,
    vault,
    registries,
    runtimes,
    environments,
    config,
    credentials,
    uploads,
    releases,
    volumes,
    routes,
    sites,
  };
  const deployments: Deployments = new Deployments({ ...shared, gitCache, instances: rows });
  const instances = new Instances({ ...shared, rows, deployments });
  const apps = new Apps({ ...shared, instances: rows, deployments, instanceService: instances });
  const system = new SystemFacts({ settings, store, routes, boxId });
  const doctor = new Doctor({ settings, runtimes, store, routes });
  const audit = new Audit(store);
  const access = new Access(store, { audit });
  const requests = new RequestSlots(store);
  const parts: Parts = {
    ...shared,
    requests,
    gitCache,
    events,
    access,
    audit,
    apps,
    deployments,
    instances,
    system,
    doctor,
  };
  const siteHealing = new SiteHealing({ ...shared, instances: rows });
  const healing = new Healing({ ...shared, sites: siteHealing, instances: rows });
  const health = new HealthWatch({ ...shared, instances: rows });
  const exits = new ExitWatch({ runtimes, instances: rows, log });
  const housekeeping = new Housekeeping({
    log,
    healing,
    health,
    sites: siteHealing,
    gitCache,
    events,
    requests,
    settings,
  });
  const idleWatch = new IdleWatch({ ...shared, instances: rows });
  return { parts, proxy, healing, housekeeping, idleWatch, exits };
}

async function start(
  { parts, proxy, healing, housekeeping, idleWatch, exits }: Built,
  settings: Config,
  log: Log,
  stack: AsyncDisposableStack,
): Promise<void> {
  stack.defer(() => parts.runtimes.close());
  const proxyEvents = new ProxyEventsServer({
    socket: paths.proxyEventsSocket(settings.data),
    proxyDirectory: paths.proxyDirectory(settings.data),
    requests: parts.requests,
    wake: (routeId) => idleWatch.wake(routeId),
    log,
  });
  await proxyEvents.start();
  stack.defer(() => proxyEvents.stop());
  const bridges = new BridgeSubnets();
  const server = new ControlServer({
    parts,
    operations,
    handRoutes: webRoutes,
    errorPage,
    settings,
    log,
    engineSubnets: () => bridges.list(),
  });
  await server.start();
  stack.defer(() => server.stop());
  const publish = () =>
    parts.routes.publish().catch((error) => log.error("routes cannot be published", { error: terse(error) }));
  const proxyProcess = new ProxyProcess({ settings, client: proxy, log, onStarted: publish });
  await proxyProcess.start();
  stack.defer(() => proxyProcess.stop());
  await publish();
  exits.start();
  stack.defer(() => exits.stop());
  parts.jobs.start();
  stack.defer(() => parts.jobs.stop());
  housekeeping.start();
  stack.defer(() => housekeeping.stop());
  idleWatch.start();
  stack.defer(() => idleWatch.stop());
  // The engine may be slow or down: the dashboard must answer all the same.
  void healing.look();
}

/** The box's own id, which everything it makes at the engine bears; also its node row. */
function ensureBox(store: Store): string {
  const known = store.setting("box_id");
  if (known) return known;
  const id = ulid();
  store.transaction(() => {
    store.setSetting("box_id", id);
    store.run(
      "insert into nodes (id, name, architecture, created_at) values ($id, $name, $architecture, $now)",
      {
        id,
        name: hostname(),
        architecture: process.arch === "x64" ? "amd64" : process.arch,
        now: Date.now(),
      },
    );
  });
  return id;
}
