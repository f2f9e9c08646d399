import { paths } from "../../config.ts";
import { DiploError } from "../../errors.ts";
import { createLog } from "../../log.ts";
import { lockData } from "../../store/data-lock.ts";
import type { CliContext } from "../cli-context.ts";
import { destroyBox as destroy, type Removed, readBoxId } from "../destroy-box.ts";
import { EXIT } from "../exit-code.ts";
import { COMMON, flag } from "../flags.ts";
import { stopProxy } from "../stop-proxy.ts";
import { UsageError } from "../usage-error.ts";
import type { Verb } from "../verb.ts";

export const destroyBox: Verb = {
  name: "destroy-box",
  summary: "Remove what this box made in the engine; its data directory stays",
  usage: "--data <dir> --yes",
  notes:
    "Works while Diplo is stopped, and only then. Images and volumes, with the apps' data, stay unless --purge.",
  flags: [
    flag("yes", "boolean", "really do it"),
    flag("purge", "boolean", "images and volumes too, with everything in them"),
    ...COMMON,
  ],
  run: async ({ flags }, context) => {
    if (!flags.get("yes"))
      throw new UsageError("wants --yes: this removes every container and network of the box");
    const { data } = context.config;
    const box = readBoxId(data);
    using _lock = lockData(paths.lock(data));
    await stopProxy(paths.proxySocket(data));
    const removed = await inEveryEngine(box, flags.get("purge") === true, context);
    if (context.json) context.printJson(removed);
    else context.io.out(told(removed));
    return EXIT.ok;
  },
};

async function inEveryEngine(boxId: string, purge: boolean, { config }: CliContext): Promise<Removed> {
  // The engine's client is half of the program: only this verb and doctor wait for it.
  const [{ detectRuntimes }, { connectDocker }] = await Promise.all([
    import("../../engine/runtime/detect.ts"),
    import("../../engine/runtime/docker/docker-runtime.ts"),
  ]);
  const log = createLog("error");
  const engines = (await detectRuntimes({ dockerHost: config.dockerHost, log })).filter(
    ({ available }) => available,
  );
  if (engines.length === 0)
    throw new DiploError("engine_down", "no container engine answers, so nothing could be removed");
  const sum: Removed = { containers: 0, networks: 0, images: 0, volumes: 0, kept: [] };
  for (const { address, type } of engines) {
    const { kept, ...counts } = await destroy(await connectDocker({ address, boxId, log, type }), purge);
    for (const key of ["containers", "networks", "images", "volumes"] as const) sum[key] += counts[key];
    sum.kept.push(...kept);
  }
  return sum;
}

function told({ containers, networks, images, volumes, kept }: Removed): string {
  const removed = `Removed ${containers} containers, ${networks} networks, ${images} images, ${volumes} volumes.\n`;
  return kept.length === 0
    ? removed
    : `${removed}Kept, because they hold data: ${kept.join(", ")} (--purge removes them)\n`;
}
