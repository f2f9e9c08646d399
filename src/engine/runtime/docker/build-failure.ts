import { DiploError, PermanentError } from "../../../errors.ts";
import type { RuntimeInfo } from "../container-runtime.ts";
import { parseImage } from "../image-reference.ts";
import { platformName } from "../platform.ts";
import type { BuildOutput } from "./build-output.ts";
import { DISK_FULL, diskFull } from "./engine-error.ts";
import { registryFailure, UNAUTHORISED } from "./registry-failure.ts";

type Outcome = Pick<BuildOutput, "error" | "failed">;

const KILLED =
  /exit (?:code:|status) 137\b|returned a non-zero code: 137\b|signal: killed|\bout of memory\b|cannot allocate memory/i;
// Node and the JVM give up by themselves, with an exit code of their own.
const HEAP_FULL = /JavaScript heap out of memory|java\.lang\.OutOfMemoryError/;
const IMAGE_MISSING =
  /pull access denied|manifest (for \S+ )?(unknown|not found)|repository does not exist|no match for platform|(docker\.io|[\w.-]+\.[\w.-]+)\/\S+: not found/i;
const REGISTRY_AWAY =
  /failed to do request|no such host|i\/o timeout|TLS handshake|connection refused|dial tcp|Temporary failure|toomanyrequests|too many requests|failed to (authorize|fetch)|request canceled/i;

const NO_VARIANT = /no match for platform|no matching manifest for/i;
// The loader's own words, before any program ran; a shell that meets a foreign binary spells it with a capital E.
const FOREIGN_BINARY = /\bexec(?: user process caused)?[^\n]*: exec format error/;

/** What the explanation knows of where it was built. */
export interface BuildPlace {
  engine: Pick<RuntimeInfo, "os" | "architecture">;
  /** Registries that the build could sign in to. */
  servers: string[];
}

/** Why a build failed, from the engine's last word and the failing step's last lines. */
export function buildFailure(outcome: Outcome, place: BuildPlace): DiploError {
  const error = outcome.failed?.error ?? outcome.error ?? "no reason given";
  const tail = outcome.failed?.tail ?? [];
  if (DISK_FULL.test(error) || tail.some((line) => DISK_FULL.test(line))) return diskFull(error);
  const base = baseImageFailure(outcome, error, place);
  if (base) return base;
  const step = outcome.failed?.name ?? "Dockerfile";
  const evidence = tail.length > 0 ? tail : [outcome.error ?? error];
  if (FOREIGN_BINARY.test(error) || tail.some((line) => FOREIGN_BINARY.test(line)))
    return wrongBase(`The base image of "${step}"`, place.engine, evidence);
  if (KILLED.test(error) || tail.some((line) => HEAP_FULL.test(line))) return outOfMemory(step, evidence);
  return new PermanentError("build_failed", `the build failed at "${step}"${exitCode(error)}`, {
    detail: `The build step "${step}" failed${exitCode(error)}.`,
    hint: "Mend what the step's last lines say, and deploy again.",
    evidence,
  });
}

export function buildTimeout(deadlineMs: number, step: string | null): PermanentError {
  const at = step ? ` It was at "${step}".` : "";
  return new PermanentError("build_timeout", `build stopped after ${deadlineMs} ms`, {
    detail: `The build took longer than ${Math.round(deadlineMs / 1000)} s and was stopped.${at}`,
    hint: "Make the step faster, or allow builds more time.",
  });
}

function outOfMemory(step: string, evidence: string[]): PermanentError {
  return new PermanentError("build_oom", `the build ran out of memory at "${step}"`, {
    detail: `The build step "${step}" ended, most likely because the memory ran out.`,
    hint: "Give the box more memory or swap, or make the build use less (for Node: NODE_OPTIONS=--max-old-space-size).",
    evidence,
  });
}

/** The base image that the build failed at, as the builder spells it. */
export function failedBase({ failed }: Outcome): string | undefined {
  const metadata = /^\[(?:[\w.-]+ )?internal\] load metadata for (\S+)/.exec(failed?.name ?? "");
  const from = /^(?:\[[^\]]*\] |Step \d+\/\d+ ?: )FROM (?:--\S+ )*(\S+)/i.exec(failed?.name ?? "");
  return metadata?.[1] ?? from?.[1];
}

function baseImageFailure(
  outcome: Outcome,
  error: string,
  { engine, servers }: BuildPlace,
): DiploError | null {
  const reference = failedBase(outcome);
  if (!reference && outcome.failed) return null;
  const missing = IMAGE_MISSING.test(error);
  if (!reference && !missing) return null;
  const name = reference ? `"${reference}"` : "of this Dockerfile";
  if (NO_VARIANT.test(error)) return wrongBase(`The base image ${name}`, engine, [error]);
  if (reference && UNAUTHORISED.test(error) && !missing)
    return registryFailure(reference, error, servers.includes(parseImage(reference).registry));
  if (!missing && REGISTRY_AWAY.test(error)) return registryAway(name, error);
  return new PermanentError("image_not_found", `base image ${name}: ${error}`, {
    detail: `The base image ${name} does not exist, or this box may not pull it.`,
    hint: "Look for a typing error in the FROM line.",
    evidence: [error],
  });
}

// Tomorrow, or in a minute, it may answer: worth retrying.
function registryAway(name: string, error: string): DiploError {
  return new DiploError("registry_unreachable", `base image ${name}: ${error}`, {
    detail: `The base image ${name} could not be fetched: its registry does not answer.`,
    hint: "Check this box's connection to the internet and its DNS.",
    evidence: [error],
  });
}

function wrongBase(
  what: string,
  engine: Pick<RuntimeInfo, "os" | "architecture">,
  evidence: string[],
): PermanentError {
  const ours = platformName(engine);
  return new PermanentError("arch_mismatch", `${what} is not for ${ours}`, {
    detail: `${what} is not made for this box, which runs ${ours}.`,
    hint: otherBase(engine),
    evidence,
  });
}

export const otherBase = (engine: Pick<RuntimeInfo, "os" | "architecture">): string =>
  `Name one that is for ${platformName(engine)} in the Dockerfile's FROM line, without another --platform.`;

function exitCode(error: string): string {
  const match = /(?:exit code: |non-zero code: |exit status )(\d+)/.exec(error);
  return match ? ` with exit code ${match[1]}` : "";
}
