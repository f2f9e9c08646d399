import { PermanentError } from "../../errors.ts";
import type { RuntimeInfo } from "./container-runtime.ts";

/** What an image can run on, as registries and engines spell it: `linux`, `arm64`, `v8`. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

export const platformName = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, variant].filter(Boolean).join("/");

/** Whether one of them is the engine's own. An emulator that may be installed is not counted on. */
export function fits(
  platforms: readonly Platform[],
  engine: Pick<RuntimeInfo, "os" | "architecture">,
): boolean {
  return platforms.some(({ os, architecture }) => os === engine.os && architecture === engine.architecture);
}

/** `arch_mismatch`: names both sides. */
export function archMismatch(
  what: string,
  platforms: readonly Platform[],
  engine: Pick<RuntimeInfo, "os" | "architecture">,
  hint: string,
): PermanentError {
  const theirs = [...new Set(platforms.map(platformName))].join(", ");
  const ours = platformName(engine);
  return new PermanentError("arch_mismatch", `${what} is for ${theirs}, the engine for ${ours}`, {
    detail: `${what} is made for ${theirs}; this box runs ${ours}.`,
    hint,
  });
}
