import { checkSource } from "../../engine/source/fetch-source.ts";
import { knownHostOf } from "../../engine/source/known-hosts.ts";
import type { SourceSpec } from "../../engine/source/source.ts";
import { conflict, invalid, notFound } from "../../errors.ts";
import { Reply } from "../../operation.ts";
import { type Environment, refOf } from "../environments/environments.ts";
import { checkComparable, nothingSinceLive } from "../sources/since-live.ts";
import { askedSource, nameFrom, nextSource, refuseOtherSource } from "./asked-source.ts";
import { type Deployed, deployAnswer, type Unchanged } from "./deploy-answer.ts";
import type { DeployInput } from "./deploy-input.ts";
import type { Deployment } from "./deployment.ts";
import { deploymentJob, enqueueDeployment } from "./deployment-job.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import { DeploymentRows } from "./deployment-rows.ts";
import type { DeploymentRequest, Trigger } from "./deployment-state.ts";
import { drainJob, enqueueDrain } from "./drain-job.ts";

type Answer = Promise<Reply<Deployed | Deployment>>;
type AnswerIfChanged = Promise<Reply<Deployed | Deployment | Unchanged>>;

/** A source that was checked, and how it is to be deployed. */
interface SourceRequest {
  environment: Environment;
  source: SourceSpec;
  by: string;
  clear_cache?: boolean;
  if_changed?: boolean;
  wait?: boolean;
  /** What else was asked for with it; runs in the transaction that writes the deployment. */
  alongside?: () => void;
}

/** Attempts to make releases live: asking for one, following it, stopping it. */
export class Deployments {
  private readonly rows: DeploymentRows;

  constructor(private readonly parts: DeploymentParts) {
    this.rows = new DeploymentRows(parts);
    parts.jobs.register(deploymentJob(parts));
    parts.jobs.register(drainJob(parts));
  }

  /** `POST /deploy`: makes the app when there is none, merges its config, deploys. */
  async deploy(input: DeployInput, by: string, signal: AbortSignal): AnswerIfChanged {
    if (input.runtime_type) await this.parts.runtimes.usable(input.runtime_type);
    const { source, credential } = askedSource(input);
    const name = input.name ?? nameFrom(source);
    if (name === "")
      throw invalid("name", "is missing", "A directory has no address to take it from: --name blog");
    const known = this.parts.environments.lookup(name);
    await this.check(known?.app ?? name, source, input);
    if (known) refuseOtherSource(known, source, input.replace_source ?? false);
    const vars = Object.fromEntries((input.env_vars ?? []).map((each) => [each.name, each.value]));
    await this.parts.vault.ready();
    const environment = known ?? (await this.make(name, by, source, input.replace_source ?? false));
    if (credential) this.parts.credentials.save(environment.app_id, credential, source);
    // A value that changes is a reason to deploy, whatever the repository says.
    const if_changed = input.if_changed && Object.keys(vars).length === 0;
    const alongside = () => {
      this.applySettings(environment, input);
      this.parts.config.write(environment, vars, by);
    };
    return this.deploySource({ ...input, environment, source, by, if_changed, alongside }, signal);
  }

  /** The app's own source once more. */
  async again(
    input: {
      app: string;
      branch?: string;
      tag?: string;
      commit?: string;
      upload_id?: string;
      clear_cache?: boolean;
      if_changed?: boolean;
      wait?: boolean;
    },
    by: string,
    signal: AbortSignal,
  ): AnswerIfChanged {
    const environment = this.parts.environments.find(input.app);
    const source = nextSource(environment, input);
    await this.check(environment.app, source, input);
    await this.parts.vault.ready();
    return this.deploySource({ ...input, environment, source, by }, signal);
  }

  async rollback(
    input: { app: string; release?: number; deployment_id?: string; wait?: boolean },
    by: string,
    signal: AbortSignal,
  ): Answer {
    const { environments, releases } = this.parts;
    const environment = environments.find(input.app);
    const target = input.deployment_id
      ? releases.byId(this.rows.row(input.deployment_id).release_id ?? "")
      : input.release === undefined
        ? releases.previous(environment)
        : releases.byNumber(environment, input.release);
    if (target.environment_id !== environment.id) throw notFound("release", String(input.deployment_id));
    releases.checkRollbackTarget(target);
    const id = enqueueDeployment(this.parts, environment, by, {
      trigger: "rollback",
      from_release_id: target.id,
    });
    return this.answer(id, input.wait, signal);
  }

  async retry(input: { deployment: string; wait?: boolean }, by: string, signal: AbortSignal): Answer {
    const row = this.rows.row(input.deployment);
    if (row.outcome === null) throw conflict("still_running", `deployment ${row.id} has not ended yet`);
    const environment = this.parts.environments.byId(row.environment_id);
    const request = JSON.parse(row.request) as DeploymentRequest;
    return this.answer(enqueueDeployment(this.parts, environment, by, request), input.wait, signal);
  }

  /** The release that a change of config, settings or volumes makes; null while there is none to change. */
  ofConfigChange(environment: Environment, by: string): string | null {
    return this.ofCurrentRelease(environment, by, { trigger: "config" });
  }

  /** Config, restart, scale, start: nothing is built; what serves when its turn comes is made anew or changed. */
  ofCurrentRelease(
    environment: Environment,
    by: string,
    { trigger, fresh = false }: { trigger: Trigger; fresh?: boolean },
  ): string | null {
    const { releases, environments } = this.parts;
    if (!releases.current(environment.id) && !this.open(environment.id)) return null;
    if (environments.byId(environment.id).desired === "stopped") return null;
    const queued = this.rows.queued(environment.id);
    const asked = queued?.request;
    // A build that waits reads config and quantities when it runs: it brings this change along.
    if (asked?.source) return queued?.id ?? null;
    return enqueueDeployment(this.parts, environment, by, {
      trigger,
      fresh: fresh || asked?.fresh === true,
      // A rollback that waits puts old config back; what was asked after it must come after it.
      supersede: asked?.trigger !== "rollback",
    });
  }

  /** Stops what runs; address, config, data and the release to start again stay. */
  stop(environment: Environment): void {
    const { store, environments, instances } = this.parts;
    // The one that runs comes first: should it be too late for it, nothing else was changed yet.
    for (const id of this.allOpen(environment.id)) this.cancel(id, "the app was stopped", "diplo");
    store.transaction(() => {
      environments.setDesired(environment.id, "stopped");
      const ids = instances.present(environment.id).map((row) => row.id);
      instances.retire(ids, Date.now() + environment.settings.drain_s * 1000);
      enqueueDrain(this.parts, environment, ids, null, "withdrawing");
    });
  }

  list(filter: { app?: string; status?: string; limit?: number; offset?: number }): Deployment[] {
    return this.rows.list(filter);
  }

  /** Throws `deployment_not_found`. */
  get(id: string): Deployment {
    return this.rows.get(id);
  }

  /** The deployment under way in an environment. */
  open(environmentId: string): Deployment | null {
    return this.rows.open(environmentId);
  }

  /** Every one that has not ended, oldest first: one runs, others may wait for their turn. */
  allOpen(environmentId: string): string[] {
    return this.rows.allOpen(environmentId);
  }

  /** The newest one that ended. */
  last(environmentId: string): Deployment | null {
    return this.rows.last(environmentId);
  }

  cancel(id: string, reason: string, by: string): Deployment {
    this.parts.jobs.cancel(this.rows.row(id).job_id, reason || `by ${by}`);
    return this.get(id);
  }

  /** Refuses what can be seen to be wrong before anything is made or kept. */
  private async check(
    app: string,
    source: SourceSpec,
    { if_changed }: { if_changed?: boolean },
  ): Promise<void> {
    if (source.kind !== "image") checkSource(source);
    await this.parts.uploads.check(app, source);
    if (if_changed) checkComparable(source);
  }

  /** The new environment, or the one that another request for the same name made meanwhile. */
  private async make(
    name: string,
    by: string,
    source: SourceSpec,
    replaceSource: boolean,
  ): Promise<Environment> {
    try {
      return await this.parts.environments.create(name, by);
    } catch (error) {
      const made = this.parts.environments.lookup(name);
      if (!made) throw error;
      refuseOtherSource(made, source, replaceSource);
      return made;
    }
  }

  /** Deploys it, unless only changes were asked for and there are none. */
  private async deploySource(
    { environment, source, by, clear_cache = false, if_changed, wait, alongside }: SourceRequest,
    signal: AbortSignal,
  ): AnswerIfChanged {
    const nothing = if_changed ? await nothingSinceLive(this.parts, environment, source, signal) : null;
    if (nothing) return new Reply(200, { name: refOf(environment), changed: false, ...nothing });
    const id = this.parts.store.transaction(() => {
      alongside?.();
      this.aim(environment, source);
      return enqueueDeployment(this.parts, environment, by, { trigger: "user", source, clear_cache });
    });
    return this.answer(id, wait, signal);
  }

  /**
   * What the app is deployed from while nothing of it ever served; later a source becomes the app's when it is live,
   * so that one which never worked is not deployed again. Inside a transaction.
   */
  private aim(environment: Environment, source: SourceSpec): void {
    const { credentials, environments, releases } = this.parts;
    if (!releases.lastLive(environment.id)) environments.setSource(environment.id, source);
    // The key is in the first failure's explanation, to be added at the host.
    if (source.kind === "git" && knownHostOf(source.repo_url) !== null)
      credentials.ensureDeployKey(environment.app_id, `diplo-${environment.app}`);
  }

  private applySettings(environment: Environment, input: DeployInput): void {
    if (input.port === undefined && input.health_path === undefined) return;
    const { settings } = environment;
    this.parts.environments.changeSettings(environment.id, {
      ...settings,
      port: input.port ?? settings.port,
      health: { ...settings.health, path: input.health_path ?? settings.health.path },
    });
  }

  private answer(id: string, wait: boolean | undefined, signal: AbortSignal): Answer {
    return deployAnswer(this.parts, this.rows, id, { wait, signal });
  }
}
