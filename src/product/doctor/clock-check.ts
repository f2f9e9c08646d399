import type { DoctorCheck } from "./check.ts";
import { fault, warning, well } from "./check.ts";

/** Two clocks read at one moment: the wall's, which can be set, and one that only runs on. Both milliseconds. */
export interface Clocks {
  wall: number;
  steady: number;
}

export const readClocks = (): Clocks => ({ wall: Date.now(), steady: performance.now() });

/** No box with this code was ever started before. A Pi without a clock battery wakes up in the past. */
const FIRST_POSSIBLE_YEAR = 2025;
const NOTEWORTHY_MS = 60_000;

/** Whether the time can be right, and whether it was set while this process ran: certificates and tokens depend on it. */
export function checkClock(start: Clocks, now: Clocks): DoctorCheck {
  const date = new Date(now.wall);
  const year = date.getUTCFullYear();
  const remedy = "timedatectl set-ntp true, and see that the network lets NTP through";
  if (year < FIRST_POSSIBLE_YEAR || year > 2100)
    return fault("clock", `This machine believes it is ${date.toISOString().slice(0, 10)}.`, remedy);
  const jumpMs = now.wall - start.wall - (now.steady - start.steady);
  if (Math.abs(jumpMs) > NOTEWORTHY_MS)
    return warning(
      "clock",
      `The clock was moved by ${Math.round(jumpMs / 1000)} s since Diplo started.`,
      remedy,
    );
  return well("clock", date.toISOString().slice(0, 16).replace("T", " "));
}
