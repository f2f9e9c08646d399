import type { BuildPlan } from "./plan.ts";
import { emptyPlan } from "./provider.ts";

/** A prebuilt image as it was fetched. */
export interface FetchedImage {
  /** As it was asked for: `ghcr.io/you/app:1.2`. */
  name: string;
  /** Name and digest; the name alone for an image that only this box's engine has. */
  pinned: string;
  exposed_ports: number[];
}

/** Nothing to build: the image is there already, under the name that a build would have given it. */
export function imagePlan({ name, pinned, exposed_ports }: FetchedImage): BuildPlan {
  return {
    ...emptyPlan("image", [name]),
    run_image: { value: pinned, from: name },
    processes: { web: { command: null, from: "the image" } },
    hardened: false,
    warnings:
      exposed_ports.length > 1
        ? [
            `the image exposes ports ${exposed_ports.join(", ")}: which one is the app's is said by its setting port`,
          ]
        : [],
  };
}
