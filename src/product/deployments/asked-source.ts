import { resolve } from "node:path";
import { type ImageReference, imageName, parseImage } from "../../engine/runtime/image-reference.ts";
import { parseRepoUrl, sameSource } from "../../engine/source/repo-url.ts";
import type { SourceCredential, SourceSpec } from "../../engine/source/source.ts";
import { conflict, invalid } from "../../errors.ts";
import { suggestName } from "../apps/app-name.ts";
import type { Environment } from "../environments/environments.ts";
import { credentialFrom } from "../sources/credential-input.ts";
import type { DeployInput } from "./deploy-input.ts";

/** What has a source of its own, once it was deployed. */
type Sourced = Pick<Environment, "app" | "source">;

/** The one source that `POST /deploy` names, and the credential that came with it. Throws `invalid`. */
export function askedSource(input: DeployInput): { source: SourceSpec; credential: SourceCredential | null } {
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
export function nameFrom(source: SourceSpec): string {
  if (source.kind === "image") return suggestName(parseImage(source.image).repository);
  return source.kind === "git" ? suggestName(source.repo_url) : "";
}

/** The app's own source once more, or what is asked for of it. Throws `no_source`, `invalid`. */
export function nextSource(
  environment: Sourced,
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

/** Throws `app_source_differs`, unless the source is the app's or may replace it. */
export function refuseOtherSource(environment: Sourced, source: SourceSpec, replace: boolean): void {
  if (replace || environment.source === null || sameSource(environment.source, source)) return;
  throw conflict(
    "app_source_differs",
    `${environment.app} is deployed from another source`,
    "Choose another --name, or say --replace-source to change where this app comes from.",
  );
}
