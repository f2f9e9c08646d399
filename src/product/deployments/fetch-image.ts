import type { FetchedImage } from "../../engine/build/image-plan.ts";
import type { ContainerRuntime, ImageFacts } from "../../engine/runtime/container-runtime.ts";
import { imageName, parseImage, pinnedName } from "../../engine/runtime/image-reference.ts";
import { archMismatch, fits, type Platform, platformName } from "../../engine/runtime/platform.ts";
import { PermanentError } from "../../errors.ts";
import type { StepContext } from "../../jobs/job.ts";
import type { Environment } from "../environments/environments.ts";
import type { DeploymentParts } from "./deployment-parts.ts";
import type { DeploymentState } from "./deployment-state.ts";

interface Work extends Pick<StepContext<DeploymentState>, "signal" | "log" | "progress"> {
  parts: DeploymentParts;
  runtime: ContainerRuntime;
  environment: Environment;
  deploymentId: string;
  image: string;
  /** What the image is to be called. */
  tag: string;
}

/** What one deployment pulls; kept until it has it, so that another try goes on with the same bytes. */
interface Pull {
  image: string;
  keep_name: number;
}

/**
 * Brings a prebuilt image to the engine, under the name that a build would have given it. A tag is looked up first
 * and pulled by its digest, so that what was found is what runs. Throws `arch_mismatch` before anything is sent.
 */
export async function fetchImage(
  parts: DeploymentParts,
  { state, signal, log, progress }: StepContext<DeploymentState>,
  image: string,
): Promise<FetchedImage> {
  const environment = parts.environments.byId(state.environment_id);
  const runtime = await parts.runtimes.usable();
  const tag = runtime.imageTag(environment.app, state.deployment_id);
  const deploymentId = state.deployment_id;
  const work = { parts, runtime, environment, deploymentId, image, tag, signal, log, progress };
  const begun = pullOf(parts, deploymentId);
  if (begun) return fetched(image, begun.image, await finish(work, begun));
  if (environment.settings.pull_policy === "never") return useLocal(work);
  const mayReuse = environment.settings.pull_policy !== "always";
  const { digest } = parseImage(image);
  // A digest says what it is without being looked up: a registry that is away is no obstacle then.
  const known = mayReuse && digest !== null ? await reuse(work, pinnedName(parseImage(image), digest)) : null;
  if (known) return known;
  const pinned = await resolve(work);
  const reused = mayReuse ? await reuse(work, pinned) : null;
  return reused ?? fetched(image, pinned, await finish(work, await begin(work, pinned)));
}

/** The pull under way, by the deployment. */
export function pullOf({ store }: Pick<DeploymentParts, "store">, deploymentId: string): Pull | null {
  return store.get<Pull>("select image, keep_name from pulls where deployment_id = $deploymentId", {
    deploymentId,
  });
}

export function endPull({ store }: Pick<DeploymentParts, "store">, deploymentId: string): void {
  store.run("delete from pulls where deployment_id = $deploymentId", { deploymentId });
}

const fetched = (name: string, pinned: string, facts: ImageFacts): FetchedImage => ({
  name,
  pinned,
  exposed_ports: facts.exposed_ports,
});

/** Name and digest, once something fits this box. A digest that was asked for is looked up too: for its platforms. */
async function resolve({ parts, runtime, image, signal, log, progress }: Work): Promise<string> {
  progress(`looking up ${image}`);
  const reference = parseImage(image);
  const credential = await parts.registries.ofImage(image);
  const engine = await runtime.info();
  // A tag beside a digest says where it is from; the digest alone says what it is.
  const asked = reference.digest === null ? image : pinnedName(reference, reference.digest);
  const { digest, platforms } = await runtime.resolveImage(asked, credential, signal);
  if (platforms.length > 0 && !fits(platforms, engine)) {
    const tagged = reference.digest !== null && reference.tag !== null;
    const all = tagged
      ? await runtime
          .resolveImage(imageName({ ...reference, digest: null }), credential, signal)
          .catch(() => null)
      : null;
    throw archMismatch(image, platforms, engine, hintOf(image, all?.platforms ?? [], engine));
  }
  log.line(
    `${image} is ${digest}${platforms.length > 1 ? `, for ${platforms.map(platformName).join(", ")}` : ""}`,
  );
  return pinnedName(reference, digest);
}

function hintOf(image: string, others: Platform[], engine: { os: string; architecture: string }): string {
  if (!fits(others, engine))
    return `Use an image that is also built for ${platformName(engine)}, or deploy its repository: it is built here then.`;
  const tag = imageName({ ...parseImage(image), digest: null });
  return `${tag} has a variant for ${platformName(engine)}: leave the digest out, or give the digest of its index.`;
}

async function reuse(work: Work, pinned: string): Promise<FetchedImage | null> {
  const there = await present(work, pinned);
  if (!there) return null;
  work.log.line(`The engine has ${pinned} already`);
  return fetched(work.image, pinned, await take(work, there, work.image));
}

/** The image, when the engine has these very bytes: by a name of a person's, or as an image of ours that is kept. */
async function present({ parts, runtime }: Work, pinned: string): Promise<ImageFacts | null> {
  const named = await runtime.image(pinned);
  if (named) return named;
  const builds = parts.store.all<{ image_tag: string }>(
    `select image_tag from builds where pruned_at is null and json_extract(plan, '$.provider') = 'image'
     and json_extract(plan, '$.run_image.value') = $pinned order by id desc limit 5`,
    { pinned },
  );
  for (const { image_tag } of builds) {
    const kept = await runtime.image(image_tag);
    if (kept) return kept;
  }
  return null;
}

/** `pull_policy: never`: no registry is asked anything. */
async function useLocal(work: Work): Promise<FetchedImage> {
  const { runtime, image, log } = work;
  const there = await runtime.image(image);
  if (!there)
    throw new PermanentError("image_not_found", `the engine has no ${image}, and pulling is off`, {
      detail: `This box has no image ${image}, and its app's pull_policy is never.`,
      hint: "Bring it here (docker load, docker pull), or let Diplo pull it: --pull-policy if_not_present",
    });
  log.line(`The engine's own ${image} is ${there.id}`);
  const reference = parseImage(image);
  const known = there.digests.find((digest) => digest.startsWith(pinnedName(reference, "sha256:")));
  return fetched(image, known ?? image, await take(work, there, image));
}

async function take({ runtime, tag }: Work, there: ImageFacts, image: string): Promise<ImageFacts> {
  await checkFits(runtime, there, image);
  return runtime.tagImage(there.id, tag);
}

/** What the image itself says, whatever its registry said. */
async function checkFits(runtime: ContainerRuntime, facts: ImageFacts, image: string): Promise<void> {
  const engine = await runtime.info();
  if (!fits([facts], engine)) throw archMismatch(image, [facts], engine, hintOf(image, [], engine));
}

/** Writes down what is going to be pulled, and whether the engine had it by that name before. */
async function begin({ parts, runtime, deploymentId }: Work, pinned: string): Promise<Pull> {
  const there = (await runtime.image(pinned)) !== null;
  // The name may be one that another deployment's pull is about to take away.
  const passing = parts.store.get("select 1 from pulls where image = $pinned and keep_name = 0", { pinned });
  const pull = { image: pinned, keep_name: there && !passing ? 1 : 0 };
  parts.store.run(
    "insert into pulls (deployment_id, image, keep_name) values ($deploymentId, $image, $keep_name)",
    {
      deploymentId,
      ...pull,
    },
  );
  return pull;
}

/** Pulls it, or finds that an earlier, killed try had. */
async function finish(work: Work, { image, keep_name }: Pull): Promise<ImageFacts> {
  const { parts, runtime, tag, signal, log, progress } = work;
  const had = await runtime.image(tag);
  if (had) {
    if (!keep_name) await runtime.forgetPulled(image);
    return had;
  }
  log.line(`Pulling ${image}`);
  const began = performance.now();
  let received = 0;
  const credential = await parts.registries.ofImage(image);
  const pulled = await runtime.pull(
    { image, tag, credential, keep_name: keep_name === 1 },
    ({ message, received_bytes, total_bytes }) => {
      received = received_bytes;
      progress(message, total_bytes === 0 ? undefined : received_bytes / total_bytes);
    },
    signal,
  );
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  log.line(
    received === 0
      ? `Pulled in ${seconds} s; its layers were here already`
      : `Pulled ${(received / 1e6).toFixed(1)} MB in ${seconds} s`,
  );
  await checkFits(runtime, pulled, work.image);
  return pulled;
}
