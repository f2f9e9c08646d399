import { access, constants, stat } from "node:fs/promises";
import { paths } from "../../config.ts";
import type { Size } from "../system/machine.ts";
import type { DoctorCheck } from "./check.ts";
import { fault, warning, well } from "./check.ts";

/** Whether the data directory can be written, and only by those who should. */
export async function checkData(data: string): Promise<DoctorCheck> {
  try {
    await access(data, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT")
      return warning(
        "data",
        `${data} does not exist yet.`,
        "diplo serve makes it; or name another with --data",
      );
    return fault(
      "data",
      `${data} cannot be written by this user.`,
      `chown it to the user that runs Diplo, or mount it read-write.`,
    );
  }
  const open = await tooOpen(data);
  if (open.length > 0)
    return warning(
      "data",
      `Other users of this machine can read ${open.join(", ")}.`,
      `chmod 600 ${open.join(" ")}`,
    );
  return well("data", `${data} is writable, its secrets are ours alone`);
}

/** Files that hold secrets and grant others anything. */
async function tooOpen(data: string): Promise<string[]> {
  const allowed: [string, number][] = [
    [paths.masterKey(data), 0o077],
    [paths.database(data), 0o007],
  ];
  const found = await Promise.all(
    allowed.map(async ([path, forbidden]) => {
      const facts = await stat(path).catch(() => null);
      return facts !== null && (facts.mode & forbidden) !== 0 ? [path] : [];
    }),
  );
  return found.flat();
}

const GIB = 1024 ** 3;

/** Whether there is room for the next builds: images are what fills a box. */
export function checkDisk({ total_bytes, free_bytes }: Size): DoctorCheck {
  const share = Math.round((free_bytes / Math.max(1, total_bytes)) * 100);
  const detail = `${(free_bytes / GIB).toFixed(1)} of ${(total_bytes / GIB).toFixed(0)} GB free (${share} %)`;
  const remedy =
    "Remove apps that are not needed, or what other programs left; docker system df shows what images take.";
  if (free_bytes < 0.5 * GIB) return fault("disk", detail, remedy);
  return free_bytes < 2 * GIB || share < 5 ? warning("disk", detail, remedy) : well("disk", detail);
}

/** Whether an app more would push another one out of memory. */
export function checkMemory({ total_bytes, free_bytes }: Size): DoctorCheck {
  const mb = (bytes: number) => Math.round(bytes / 1024 ** 2);
  const detail = `${mb(free_bytes)} of ${mb(total_bytes)} MB available`;
  if (free_bytes < 100 * 1024 ** 2)
    return warning("memory", detail, "Scale apps down or lower their limits: diplo apps:set --limits.memory");
  return well("memory", detail);
}
