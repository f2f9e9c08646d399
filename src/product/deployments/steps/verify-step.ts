import type { ContainerRuntime } from "../../../engine/runtime/container-runtime.ts";
import { DiploError } from "../../../errors.ts";
import type { Step } from "../../../jobs/job.ts";
import { type Environment, refOf } from "../../environments/environments.ts";
import type { InstanceRow } from "../../instances/instance-rows.ts";
import type { ReleaseSpec } from "../../releases/release-spec.ts";
import { hostOf } from "../../routes/route-table.ts";
import type { DeploymentParts } from "../deployment-parts.ts";
import type { DeploymentState } from "../deployment-state.ts";
import { explainExit, explainUnhealthy } from "../explain-failure.ts";
import { type ProbeResult, probe } from "../probe.ts";

/** A process without a port is healthy when it has been up for this long. */
const STEADY_MS = 10_000;
const FIRST_PROBE_MS = 10;

/** Waits until every new instance is healthy: web by its health check, the others by staying up. */
export function verifyStep(parts: DeploymentParts): Step<DeploymentState> {
  const deadlineMs = (state: DeploymentState) =>
    parts.releases.byId(state.release_id as string).spec.settings.health.start_deadline_s * 1000 +
    STEADY_MS +
    60_000;
  return {
    deadlineMs,
    attempts: 3,
    async run({ state, signal, log, progress }) {
      const environment = parts.environments.byId(state.environment_id);
      const { spec } = parts.releases.byId(state.release_id as string);
      const fresh = parts.instances.byIds(state.wanted ?? []).filter((row) => row.observed !== "running");
      progress(`waiting until ${fresh.length === 1 ? "it is" : `${fresh.length} instances are`} healthy`);
      const host = hostOf(environment, parts.settings);
      const checks = fresh.map(async (row) => {
        if (row.site !== null) return wholeSite(parts, row.site);
        const runtime = await parts.runtimes.usable();
        return untilHealthy({ runtime, environment, row, spec, host, signal });
      });
      for (const message of await Promise.all(checks)) log.line(message);
      return {
        next: "routing",
        apply: () => {
          for (const row of fresh) parts.instances.observe(row, "running", null);
          return undefined;
        },
      };
    },
  };
}

/** Every file that the proxy is to serve lies there. Throws `site_damaged`. */
async function wholeSite({ sites }: DeploymentParts, site: string): Promise<string> {
  const fault = await sites.fault(site);
  if (fault !== null)
    throw new DiploError("site_damaged", `site ${site}: ${fault}`, {
      detail: `The files of this release are not whole: ${fault}.`,
      hint: "Deploy again.",
    });
  const { files = {} } = (await sites.manifest(site)) ?? {};
  return `web is whole: ${Object.keys(files).length} files`;
}

export interface Check {
  runtime: ContainerRuntime;
  environment: Environment;
  row: InstanceRow;
  spec: ReleaseSpec;
  host: string;
  signal: AbortSignal;
}

/** One instance, healthy as its process understands it; answers how. Throws the explanation when it does not come to that. */
export async function untilHealthy(check: Check): Promise<string> {
  const who = `${check.row.process}.${check.row.slot}`;
  if (check.row.process !== "web") return `${who} stays up (${await untilSteady(check)} s)`;
  const result = await untilAnswers(check);
  return `${who} is healthy: ${result.message}`;
}

async function untilAnswers(check: Check): Promise<ProbeResult> {
  const { spec, row, runtime, signal, host } = check;
  const { health } = spec.settings;
  const deadline = performance.now() + health.start_deadline_s * 1000;
  const endpoint = runtime.endpoint(await factsOf(check), spec.port);
  let last: ProbeResult;
  for (
    let waitMs = FIRST_PROBE_MS, looked = performance.now();
    ;
    waitMs = Math.min(waitMs * 1.5, health.start_interval_ms)
  ) {
    signal.throwIfAborted();
    last = await probe(endpoint, health, host);
    if (last.healthy) return last;
    // Looking costs the engine a round trip, so not at every probe.
    if (performance.now() - looked > 200) {
      await factsOf(check);
      looked = performance.now();
    }
    if (performance.now() >= deadline) break;
    await Bun.sleep(waitMs);
  }
  await factsOf(check);
  throw await explainUnhealthy({ runtime, row, spec, app: refOf(check.environment) }, last);
}

/** Seconds it has been up. A worker that restarts in that time begins anew, and is given up after a few tries. */
async function untilSteady(check: Check): Promise<number> {
  const begun = Date.now();
  for (;;) {
    check.signal.throwIfAborted();
    const facts = await factsOf(check);
    const up = Date.now() - Math.max(begun, facts.started_at ?? begun);
    if (up >= STEADY_MS) return Math.round(up / 1000);
    await Bun.sleep(Math.min(500, STEADY_MS - up));
  }
}

/** The instance as the engine sees it; throws the explanation when it has ended or keeps ending. */
async function factsOf({ runtime, environment, row, spec }: Check) {
  const facts = await runtime.inspect(row.name);
  if (facts === null) throw new DiploError("interrupted", `${row.name} has vanished`);
  const over = facts.state === "exited" || facts.state === "dead" || facts.restart_count > 2;
  if (over) throw await explainExit({ runtime, row, spec, app: refOf(environment) }, facts);
  return facts;
}
