import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import type { Sites } from "../../engine/site/sites.ts";
import type { BuildArtifacts } from "./releases.ts";

/** Takes away what a build made: its files in the proxy's directory, its image at the engine. Absent is fine. */
export async function removeArtifacts(
  { runtimes, sites }: { runtimes: Runtimes; sites: Sites },
  { image_tag, site }: Omit<BuildArtifacts, "id">,
): Promise<void> {
  if (site !== null) await sites.remove(site);
  if (image_tag !== null) await (await runtimes.usable()).removeImage(image_tag);
}
