import { PermanentError } from "../../errors.ts";

/** A path inside an archive in one spelling; "" is its root. Throws `archive_refused` for one that leads out. */
export function checkPath(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const long = name.length > 4096 || parts.some((part) => Buffer.byteLength(part) > 255);
  if (name.startsWith("/") || name.includes("\0") || long || parts.includes("..")) {
    throw refused(`the path ${shown(name)} leads out of it`);
  }
  // What the decoder puts for bytes that are no UTF-8: two such names may come out as one.
  if (name.includes("\uFFFD")) throw refused(`the path ${shown(name)} is not UTF-8`);
  return parts.join("/");
}

/**
 * `..` may stand at the front only. No entry is ever written through a link, so the link's directory is real, and
 * such a target stays inside whatever other links it meets.
 */
export function checkTarget(path: string, target: string): string {
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const ups = parts.findIndex((part) => part !== "..");
  const climbs = ups < 0 ? parts.length : ups;
  const depth = path.split("/").length - 1;
  if (
    target === "" ||
    target.startsWith("/") ||
    target.includes("\0") ||
    climbs > depth ||
    parts.slice(climbs).includes("..")
  ) {
    throw refused(`the link ${shown(path)} leads out of it`);
  }
  return target;
}

/** The whole archive is refused for one bad entry: what is left of it would not be the app. */
export function refused(reason: string): PermanentError {
  return new PermanentError("archive_refused", `archive refused: ${reason}`, {
    detail: `The uploaded archive was refused: ${reason}.`,
    hint: "Send a tar, tar.gz or zip of the app's own files; `diplo deploy DIR` makes one.",
  });
}

/** A name of theirs in a sentence of ours. */
export function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
