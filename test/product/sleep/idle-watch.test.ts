import { beforeEach, describe, expect, test } from "bun:test";
import { ulid } from "ulid";
import { JobRunner } from "../../../src/jobs/job-runner.ts";
import type { Environment } from "../../../src/product/environments/environments.ts";
import { DEFAULT_SETTINGS } from "../../../src/product/environments/settings.ts";
import { Events } from "../../../src/product/events/events.ts";
import { IdleWatch } from "../../../src/product/sleep/idle-watch.ts";
import type { SleepParts } from "../../../src/product/sleep/sleep-parts.ts";
import type { ProxyState } from "../../../src/proxy/protocol.ts";
import { product } from "../../support/product.ts";

const AGO = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

let nouns: Awaited<ReturnType<typeof product>>;
let jobs: JobRunner;
let watch: IdleWatch;
let environment: Environment;
let proxy: Pick<ProxyState, "started_at" | "last_used" | "in_flight">;

beforeEach(async () => {
  nouns = await product();
  const { store, log, environments, settings } = nouns;
  // Never started: what is enqueued stays to be looked at.
  jobs = new JobRunner({ store, log, events: new Events(store), logs: settings.data });
  proxy = { started_at: AGO(5000), last_used: {}, in_flight: {} };
  const routes = { state: async () => proxy };
  watch = new IdleWatch({ ...nouns, jobs, routes } as unknown as SleepParts);
  environment = await environments.create("blog", "me");
  environments.changeSettings(environment.id, { ...DEFAULT_SETTINGS, idle_timeout_s: 600 });
});

/** A web instance that serves since long ago. */
function serving(process = "web", routed = 1): string {
  const { store, instances } = nouns;
  const now = Date.now() - 4_000_000;
  const id = environment.id;
  store.run(
    "insert or ignore into builds (id, environment_id, plan, architecture, image_tag, image_id, created_at) values ('b', $id, '{}', 'amd64', 't', 'i', 0)",
    { id },
  );
  store.run(
    "insert or ignore into releases (id, environment_id, number, spec, build_id, created_by, created_at) values ('r', $id, 1, '{}', 'b', 'me', 0)",
    { id },
  );
  if (!store.get("select 1 from deployments where id = 'd'")) {
    jobs.register({ name: "past", steps: {} });
    const job = ulid();
    jobs.enqueue({
      id: job,
      kind: "past",
      lane: "past",
      subject: null,
      step: "x",
      state: {},
      createdBy: "me",
    });
    store.run(
      "insert into deployments (id, environment_id, job_id, trigger, created_by, request, created_at) values ('d', $id, $job, 'user', 'me', '{}', 0)",
      { id, job },
    );
  }
  const wanted = { environment, releaseId: "r", deploymentId: "d", process, slot: 1, site: null };
  const row = instances.add(wanted);
  store.run("update instances set routed = $routed, observed = 'running', created_at = $now where id = $id", {
    id: row.id,
    routed,
    now,
  });
  return row.id;
}

const kinds = () =>
  nouns.store.all<{ kind: string; step: string }>(
    "select kind, step from jobs where kind <> 'past' order by id",
  );

describe("IdleWatch.look", () => {
  test("puts an app to sleep that was unused for its time", async () => {
    serving();
    proxy.last_used = { [`${environment.id}/web`]: AGO(601) };
    await watch.look();
    expect(kinds()).toEqual([{ kind: "sleep", step: "resting" }]);
    // Until that is done it is left alone.
    await watch.look();
    expect(kinds()).toHaveLength(1);
  });

  test.each([
    [
      "used by another of its names a moment ago",
      () => ({ last_used: { [`${environment.id}/web/x.test/`]: AGO(5) } }),
    ],
    ["whose proxy has not seen enough yet", () => ({ started_at: AGO(599) })],
  ])("leaves one alone %s", async (_, state) => {
    serving();
    Object.assign(proxy, state());
    await watch.look();
    expect(kinds()).toEqual([]);
  });

  test("leaves one alone with a request or a WebSocket open, however old", async () => {
    const id = serving();
    proxy.in_flight = { [id]: 1 };
    await watch.look();
    expect(kinds()).toEqual([]);
  });

  test("leaves one alone that was just woken or deployed, is stopped, or never to sleep", async () => {
    serving();
    const { store, environments } = nouns;
    store.run(
      `insert into jobs (id, kind, lane, status, step, state, created_by, created_at, finished_at)
       values ('w', 'wake', $lane, 'succeeded', 'done', '{}', 'me', 0, $now)`,
      { lane: `environment:${environment.id}`, now: Date.now() - 60_000 },
    );
    await watch.look();
    store.run("delete from jobs where id = 'w'");
    environments.setDesired(environment.id, "stopped");
    await watch.look();
    environments.setDesired(environment.id, "running");
    environments.changeSettings(environment.id, { ...DEFAULT_SETTINGS, idle_timeout_s: null });
    await watch.look();
    expect(kinds()).toEqual([]);
  });

  test("leaves files that the proxy serves alone: nothing runs", async () => {
    const id = serving();
    nouns.store.run("update instances set site = 'files', address = null where id = $id", { id });
    await watch.look();
    expect(kinds()).toEqual([]);
  });

  test("leaves workers and apps without a serving web instance alone", async () => {
    serving("worker", 0);
    serving("web", 0);
    await watch.look();
    expect(kinds()).toEqual([]);
  });

  test("does not ask the proxy while no app may sleep, and comes back when the next may be idle", async () => {
    let asked = 0;
    const routes = {
      state: async () => {
        asked++;
        return proxy;
      },
    };
    const other = new IdleWatch({ ...nouns, jobs, routes } as unknown as SleepParts);
    expect(await other.look()).toBe(10_000);
    expect(asked).toBe(0);
    serving();
    proxy.last_used = { [`${environment.id}/web`]: AGO(593) };
    const again = await other.look();
    expect(again).toBeGreaterThan(5_000);
    expect(again).toBeLessThanOrEqual(7_000);
    expect(asked).toBe(1);
  });

  test("has stopped what the engine did not stop when the app went to sleep", async () => {
    const id = serving();
    nouns.instances.putToSleep([id]);
    await watch.look();
    expect(kinds()).toEqual([{ kind: "sleep", step: "stopping" }]);
  });
});

describe("IdleWatch.wake", () => {
  const route = () => `${environment.id}/web`;

  test("starts a sleeping app once, however often it is asked", () => {
    nouns.instances.putToSleep([serving()]);
    for (let i = 0; i < 100; i++) watch.wake(route());
    watch.wake(`${route()}/example.org/`);
    expect(kinds()).toEqual([{ kind: "wake", step: "starting" }]);
  });

  test("does nothing for an app that is awake, or none at all", () => {
    serving();
    watch.wake(route());
    watch.wake("nobody/web");
    watch.wake("");
    expect(kinds()).toEqual([]);
  });
});
