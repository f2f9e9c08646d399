import { resolve } from "node:path";
import { ulid } from "ulid";
import { type ImageReference, imageName, parseImage } from "../../engine/runtime/image-reference.ts";
import { checkSource } from "../../engine/source/fetch-source.ts";
import { knownHostOf } from "../../engine/source/known-hosts.ts";
import { parseRepoUrl, sameSource } from "../../engine/source/repo-url.ts";
import type { SourceCredential, SourceSpec } from "../../engine/source/source.ts";
import { conflict, DiploError, invalid, notFound } from "../../errors.ts";
import type { ErrorRecord, JobRow } from "../../jobs/job.ts";
import { Reply } from "../../operation.ts";
import { suggestName } from "../apps/app-name.ts";
import type { Changes } from "../config/config-vars.ts";
import { laneOf } from "../environments/environment-lane.ts";
import { type Environment, refOf } from "../environments/environments.ts";
import { enqueueWake } from "../sleep/wake-job.ts";
import { credentialFrom } from "../sources/credential-input.ts";
import { checkComparable, nothingSinceLive } from "../sources/since-live.ts";
import type { Deployed, DeployInput, Unchanged } from "./deploy-input.ts";
import type { Deployment } from "./deployment.ts";
import { type DeploymentRow, deploymentBody } from "./deployment-body.ts";
import { deploymentJob } from "./deployment-job.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import type { DeploymentRequest, DeploymentState, Trigger } from "./deployment-state.ts";
import { drainJob, enqueueDrain } from "./drain-job.ts";

type Answer = Promise<Reply<Deployed | Deployment>>;
type AnswerIfChanged = Promise<Reply<Deployed | Deployment | Unchanged>>;

const SELECT = `select d.*, a.name as app, a.id as app_id, e.name as environment, r.number as release,
  coalesce(s.commit_sha, json_extract(r.spec, '$.commit')) as commit_sha, s.message, s.author
  from deployments d join environments e on e.id = d.environment_id join apps a on a.id = e.app_id
  left join releases r on r.id = d.release_id left join builds b on b.id = coalesce(d.build_id, r.build_id)
  left join sources s on s.id = coalesce(d.source_id, b.source_id)`;

/** Attempts to make releases live: asking for one, following it, stopping it. */
export class Deployments {
  constructor(private readonly parts: DeploymentParts) {
    parts.jobs.register(deploymentJob(parts));
    parts.jobs.register(drainJob(parts));
  }

  /** `POST /deploy`: makes the app when there is none, merges its config, deploys. */
  async deploy(input: DeployInput, by: string, signal: AbortSignal): AnswerIfChanged {
    if (input.runtime_type) await this.parts.runtimes.usable(input.runtime_type);
    const { source, credential } = sourceOf(input);
    const name = input.name ?? nameFrom(source);
    if (name === "")
      throw invalid("name", "is missing", "A directory has no address to take it from: --name blog");
    if (source.kind !== "image") checkSource(source);
    const known = this.parts.environments.lookup(name);
    await this.parts.uploads.check(known?.app ?? name, source);
    if (input.if_changed) checkComparable(source);
    if (known) refuseOtherSource(known, source, input.replace_source ?? false);
    const vars = changesOf(input.env_vars ?? []);
    await this.parts.vault.ready();
    const environment = known ?? (await this.make(name, by, source, input.replace_source ?? false));
    if (credential) this.parts.credentials.save(environment.app_id, credential, source);
    const unchanged = input.if_changed && Object.keys(vars).length === 0;
    const nothing = unchanged ? await this.nothingNew(environment, source, signal) : null;
    if (nothing) return nothing;
    const id = this.parts.store.transaction(() => {
      this.applySettings(environment, input);
      this.parts.config.write(environment, vars, by);
      this.aim(environment, source);
      return this.request(environment, by, {
        trigger: "user",
        source,
        clear_cache: input.clear_cache ?? false,
      });
    });
    return this.answer(id, input.wait ?? true, signal);
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
    if (source.kind !== "image") checkSource(source);
    await this.parts.uploads.check(environment.app, source);
    if (input.if_changed) checkComparable(source);
    await this.parts.vault.ready();
    const nothing = input.if_changed ? await this.nothingNew(environment, source, signal) : null;
    if (nothing) return nothing;
    const id = this.parts.store.transaction(() => {
      this.aim(environment, source);
      return this.request(environment, by, {
        trigger: "user",
        source,
        clear_cache: input.clear_cache ?? false,
      });
    });
    return this.answer(id, input.wait ?? true, signal);
  }

  async rollback(
    input: { app: string; release?: number; deployment_id?: string; wait?: boolean },
    by: string,
    signal: AbortSignal,
  ): Answer {
    const { environments, releases } = this.parts;
    const environment = environments.find(input.app);
    const target = input.deployment_id
      ? releases.byId(this.row(input.deployment_id).release_id ?? "")
      : input.release === undefined
        ? releases.previous(environment)
        : releases.byNumber(environment, input.release);
    if (target.environment_id !== environment.id) throw notFound("release", String(input.deployment_id));
    releases.checkRollbackTarget(target);
    const id = this.request(environment, by, { trigger: "rollback", from_release_id: target.id });
    return this.answer(id, input.wait ?? true, signal);
  }

  async retry(input: { deployment: string; wait?: boolean }, by: string, signal: AbortSignal): Answer {
    const row = this.row(input.deployment);
    if (row.outcome === null) throw conflict("still_running", `deployment ${row.id} has not ended yet`);
    const environment = this.parts.environments.byId(row.environment_id);
    const request = JSON.parse(row.request) as DeploymentRequest;
    return this.answer(this.request(environment, by, request), input.wait ?? true, signal);
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
    const queued = this.queued(environment.id);
    const asked = queued && (JSON.parse(queued.request) as DeploymentRequest);
    // A build that waits reads config and quantities when it runs: it brings this change along.
    if (asked?.source) return queued?.id ?? null;
    return this.request(environment, by, {
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

  list({
    app,
    status,
    limit = 20,
    offset = 0,
  }: {
    app?: string;
    status?: string;
    limit?: number;
    offset?: number;
  }): Deployment[] {
    const environmentId = app === undefined ? null : this.parts.environments.find(app).id;
    const rows = this.parts.store.all<DeploymentRow>(
      `${SELECT} where ($environmentId is null or d.environment_id = $environmentId)
       order by d.id desc limit $limit offset $offset`,
      { environmentId, limit, offset },
    );
    return rows.map((row) => this.body(row)).filter((body) => status === undefined || body.status === status);
  }

  get(id: string): Deployment {
    return this.body(this.row(id));
  }

  /** The deployment under way in an environment. */
  open(environmentId: string): Deployment | null {
    const row = this.parts.store.get<DeploymentRow>(
      `${SELECT} where d.environment_id = $environmentId and d.outcome is null order by d.id desc limit 1`,
      { environmentId },
    );
    return row ? this.body(row) : null;
  }

  /** Every one that has not ended, oldest first: one runs, others may wait for their turn. */
  allOpen(environmentId: string): string[] {
    return this.parts.store
      .all<{ id: string }>(
        "select id from deployments where environment_id = $environmentId and outcome is null order by id",
        { environmentId },
      )
      .map(({ id }) => id);
  }

  /** The newest one that ended. */
  last(environmentId: string): Deployment | null {
    const row = this.parts.store.get<DeploymentRow>(
      `${SELECT} where d.environment_id = $environmentId and d.outcome in ('live', 'failed') order by d.id desc limit 1`,
      { environmentId },
    );
    return row ? this.body(row) : null;
  }

  cancel(id: string, reason: string, by: string): Deployment {
    this.parts.jobs.cancel(this.row(id).job_id, reason || `by ${by}`);
    return this.get(id);
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

  private async nothingNew(
    environment: Environment,
    source: SourceSpec,
    signal: AbortSignal,
  ): Promise<Reply<Unchanged> | null> {
    const nothing = await nothingSinceLive(this.parts, environment, source, signal);
    return nothing && new Reply(200, { name: refOf(environment), changed: false as const, ...nothing });
  }

  /** Writes the deployment and its job; queued ones of the environment that never ran are superseded. */
  private request(
    environment: Environment,
    by: string,
    { supersede = true, ...asked }: Partial<DeploymentRequest> & { trigger: Trigger; supersede?: boolean },
  ): string {
    // Asked for anew: it may have been looked up before a wait.
    if (this.parts.environments.byId(environment.id).destroying)
      throw conflict("app_destroying", `${environment.app} is being destroyed`);
    const { store, jobs } = this.parts;
    const request: DeploymentRequest = {
      source: null,
      from_release_id: null,
      fresh: false,
      clear_cache: false,
      ...asked,
    };
    // Whatever changes an app wakes it first: then the old release serves until the new one does, as with any other.
    enqueueWake(this.parts, environment, by);
    const id = ulid();
    const state: DeploymentState = { deployment_id: id, environment_id: environment.id, request, by };
    store.transaction(() => {
      if (request.trigger !== "config") this.parts.environments.setDesired(environment.id, "running");
      jobs.enqueue({
        id,
        kind: "deployment",
        lane: laneOf(environment.id),
        subject: environment.app_id,
        step: request.source === null ? "releasing" : "fetching",
        state,
        createdBy: by,
        supersede,
      });
      store.run(
        `insert into deployments (id, environment_id, job_id, trigger, created_by, request, created_at)
         values ($id, $environmentId, $id, $trigger, $by, $request, $now)`,
        {
          id,
          environmentId: environment.id,
          trigger: request.trigger,
          by,
          request: JSON.stringify(request),
          now: Date.now(),
        },
      );
    });
    return id;
  }

  private queued(environmentId: string): { id: string; request: string } | null {
    return this.parts.store.get(
      `select d.id, d.request from deployments d join jobs j on j.id = d.job_id
       where d.environment_id = $environmentId and j.status = 'queued' and j.started_at is null
       order by d.id desc limit 1`,
      { environmentId },
    );
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

  private async answer(id: string, wait: boolean, signal: AbortSignal): Answer {
    if (!wait) return new Reply(202, this.get(id), { location: `/api/v1/deployments/${id}` });
    const job = await this.parts.jobs.wait(this.row(id).job_id, signal);
    const deployment = this.get(id);
    if (deployment.status !== "success") throw failed(deployment, job);
    return new Reply(201, this.deployed(deployment));
  }

  private deployed(deployment: Deployment): Deployed {
    const environment = this.parts.environments.byId(this.row(deployment.id).environment_id);
    return {
      id: environment.app_id,
      name: refOf(environment),
      port: environment.port,
      url: this.parts.routes.addressesOf(environment)[0]?.url ?? "",
      status: "running",
      health: "healthy",
      deployment_id: deployment.id,
      release: deployment.release,
    };
  }

  private row(id: string): DeploymentRow {
    const row = this.parts.store.get<DeploymentRow>(`${SELECT} where d.id = $id`, { id });
    if (!row) throw notFound("deployment", id);
    return row;
  }

  private body(row: DeploymentRow): Deployment {
    return deploymentBody(row, this.parts.jobs.get(row.job_id), this.parts.jobs.steps(row.job_id));
  }
}

function sourceOf(input: DeployInput): { source: SourceSpec; credential: SourceCredential | null } {
  const given = [input.repo_url, input.upload_id, input.image].filter((place) => place !== undefined);
  if (given.length !== 1)
    throw invalid(
      "repo_url",
      given.length === 0 ? "is missing" : "is one source too many",
      "Give one: a git URL, a directory (diplo deploy .) or an image (diplo deploy --image nginx).",
    );
  if (input.image !== undefined) return { source: imageSource(input), credential: null };
  const subdirectory = input.subdirectory ?? "";
  if (input.upload_id !== undefined)
    return { source: { kind: "upload", upload_id: input.upload_id, subdirectory }, credential: null };
  const { spec, credential } = parseRepoUrl(input.repo_url as string);
  return {
    source: {
      ...spec,
      repo_url: spec.repo_url.startsWith("/") ? resolve(spec.repo_url) : spec.repo_url,
      branch: input.branch ?? spec.branch,
      tag: input.tag ?? spec.tag,
      commit: input.commit ?? spec.commit,
      subdirectory: subdirectory || spec.subdirectory,
    },
    credential: credentialFrom(input) ?? credential,
  };
}

/** What is said of a repository means nothing for an image, and is refused instead of being quietly ignored. */
function imageSource({ image, ...input }: DeployInput): SourceSpec {
  const reference = parseImage(image ?? "");
  for (const field of ["branch", "commit", "subdirectory", "github_token"] as const)
    if (input[field] !== undefined) throw invalid(field, "is for a repository; an image has none");
  return { kind: "image", image: imageName(withTag(reference, input.tag)) };
}

function withTag(reference: ImageReference, tag: string | undefined): ImageReference {
  if (tag === undefined) return reference;
  return parseImage(`${imageName({ ...reference, tag: null, digest: null })}:${tag}`, "tag");
}

/** Suggested for an app that was given no name; "" for a directory, which has no address. */
function nameFrom(source: SourceSpec): string {
  if (source.kind === "image") return suggestName(parseImage(source.image).repository);
  return source.kind === "git" ? suggestName(source.repo_url) : "";
}

function nextSource(
  environment: Environment,
  input: { branch?: string; tag?: string; commit?: string; upload_id?: string },
): SourceSpec {
  const { source } = environment;
  if (input.upload_id !== undefined)
    return { kind: "upload", upload_id: input.upload_id, subdirectory: subdirectoryOf(source) };
  if (source === null)
    throw conflict("no_source", `${environment.app} was never deployed`, "diplo deploy <git-url> --name …");
  if (source.kind === "image")
    return { kind: "image", image: imageName(withTag(parseImage(source.image), input.tag)) };
  if (source.kind !== "git") return source;
  const chosen = input.branch !== undefined || input.tag !== undefined || input.commit !== undefined;
  if (!chosen) return source;
  return { ...source, branch: input.branch ?? null, tag: input.tag ?? null, commit: input.commit ?? null };
}

function subdirectoryOf(source: SourceSpec | null): string {
  return source === null || source.kind === "image" ? "" : source.subdirectory;
}

function refuseOtherSource(environment: Environment, source: SourceSpec, replace: boolean): void {
  if (replace || environment.source === null || sameSource(environment.source, source)) return;
  throw conflict(
    "app_source_differs",
    `${environment.app} is deployed from another source`,
    "Choose another --name, or say --replace-source to change where this app comes from.",
  );
}

function changesOf(vars: { name: string; value: string }[]): Changes {
  return Object.fromEntries(vars.map(({ name, value }) => [name, value]));
}

function failed(deployment: Deployment, job: JobRow): DiploError {
  if (deployment.status === "superseded")
    return new DiploError("superseded", `deployment ${deployment.id} was overtaken by a newer one`, {
      status: 409,
      facts: { deployment_id: deployment.id },
    });
  const error = JSON.parse(job.error ?? "null") as ErrorRecord | null;
  return new DiploError(
    error?.code ?? deployment.status,
    error?.title ?? `the deployment ${deployment.status}`,
    {
      status: 422,
      detail: error?.detail,
      hint: error?.hint ?? undefined,
      evidence: error?.evidence,
      facts: { deployment_id: deployment.id },
    },
  );
}
