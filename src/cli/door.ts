import { accessSync, constants } from "node:fs";
import { type Config, paths } from "../config.ts";
import { DiploError } from "../errors.ts";
import type { Credentials } from "./credentials.ts";

/** How the command line reaches a box: the owner's socket on the box itself, or its address with a token. */
export type Door = { kind: "socket"; path: string } | { kind: "url"; url: string; token: string | undefined };

/** Where a box installed for the whole machine keeps its socket; tried when the person's own directory has none. */
const SYSTEM_DATA = "/var/lib/diplo";

/**
 * DIPLO_URL wins, then the socket of this machine, then what `diplo login` kept.
 * Throws `box_not_found`, or `socket_denied` when the socket is there but not for this user.
 */
export function findDoor(config: Config, credentials: Credentials | null): Door {
  const { url, token, dataChosen } = config.client;
  if (url)
    return { kind: "url", url, token: token ?? (credentials?.url === url ? credentials.token : undefined) };
  const candidates = dataChosen ? [config.data] : [...new Set([config.data, SYSTEM_DATA])];
  for (const data of candidates) {
    const path = paths.controlSocket(data);
    const state = socketState(path);
    if (state === "usable") return { kind: "socket", path };
    if (state === "denied" && !credentials) throw denied(path);
  }
  if (credentials && !dataChosen) return { kind: "url", ...credentials };
  throw new DiploError(
    "box_not_found",
    `Diplo is not running here: there is no ${paths.controlSocket(candidates[0]!)}`,
    {
      hint: "Start it with: diplo serve (or: systemctl start diplo). For a box elsewhere: diplo login https://its-address",
    },
  );
}

function socketState(path: string): "usable" | "denied" | "absent" {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return "usable";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EACCES" || code === "EPERM" ? "denied" : "absent";
  }
}

export function denied(path: string): DiploError {
  return new DiploError("socket_denied", `this user may not use ${path}`, {
    status: 403,
    hint: "Join the group diplo (sudo usermod -aG diplo $USER, then sign in again), or put sudo before the command.",
  });
}
