import { type Config, paths } from "../../config.ts";
import type { BuildOptions } from "../../engine/build/plan.ts";
import { DEFAULT_BUILD_OPTIONS } from "../../engine/build/plan-build.ts";
import type { SourceTree } from "../../engine/build/tree.ts";
import { noSuchUpload, readUpload, receiveUpload } from "../../engine/source/receive-upload.ts";
import type { SourceSpec } from "../../engine/source/source.ts";
import { checkName, splitRef } from "../apps/app-name.ts";
import type { Environment, Environments } from "../environments/environments.ts";
import { type Detected, detect } from "./detect.ts";

export interface Upload {
  upload_id: string;
  sha256: string;
  size_bytes: number;
  /** What a build would make of it; null when nothing is recognised. */
  detected: Detected | null;
}

/** Archives that people send instead of naming a repository. Each belongs to the app it was sent for. */
export class Uploads {
  constructor(private readonly options: { settings: Config; environments: Environments }) {}

  /**
   * Keeps an archive for an app, which its first deployment may yet have to make. Throws `invalid` for a name that no
   * app can have, `upload_too_large`, `archive_refused`, `disk_full`.
   */
  async receive(app: string, stream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<Upload> {
    const environment = this.options.environments.lookup(app);
    if (!environment) checkName("app", splitRef(app).app);
    const { upload_id, sha256, size_bytes, tree } = await receiveUpload(stream, {
      uploads: paths.uploads(this.options.settings.data),
      owner: environment?.app ?? splitRef(app).app,
      signal,
    });
    return { upload_id, sha256, size_bytes, detected: await detectedIn(tree, environment) };
  }

  /** Throws `upload_not_found` for an upload that is gone, or was sent for another app. */
  async check(app: string, source: SourceSpec): Promise<void> {
    if (source.kind !== "upload") return;
    const facts = await readUpload(paths.uploads(this.options.settings.data), source.upload_id);
    if (facts.owner !== splitRef(app).app) throw noSuchUpload();
  }
}

/** Whatever is wrong with it is told by the deployment, where a person can do something about it. */
async function detectedIn(tree: SourceTree, environment: Environment | null): Promise<Detected | null> {
  const { mode, buildpack, dockerfile_path, target } = environment?.settings.build ?? DEFAULT_BUILD_OPTIONS;
  const options: BuildOptions = { ...DEFAULT_BUILD_OPTIONS, mode, buildpack, dockerfile_path, target };
  return detect(tree, options).catch(() => null);
}
