import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UsageError } from "./usage-error.ts";

export type DeploySource =
  | { kind: "git"; url: string }
  | { kind: "directory"; directory: string; name: string }
  | { kind: "archive"; file: string; name: string };

const ARCHIVE = /\.(zip|tar|tar\.gz|tgz)$/i;

/**
 * What `diplo deploy X` means: a directory is sent (also one that is a git checkout), an archive too, a bare repository
 * is fetched from its path, anything else is a git URL. Throws UsageError for a path where nothing is.
 */
export function chooseSource(place: string, from: string): DeploySource {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place) || /^[\w.-]+@[\w.-]+:/.test(place))
    return { kind: "git", url: place };
  const path = resolve(from, place);
  const facts = statSync(path, { throwIfNoEntry: false });
  if (facts?.isDirectory()) {
    if (isBare(path)) return { kind: "git", url: path };
    const directory = realpathSync(path);
    if (readdirSync(directory).length === 0) throw new UsageError(`${directory} is empty`);
    return { kind: "directory", directory, name: nameOf(basename(directory)) };
  }
  if (facts?.isFile() && ARCHIVE.test(path))
    return { kind: "archive", file: path, name: nameOf(basename(path).replace(ARCHIVE, "")) };
  if (facts)
    throw new UsageError(
      `${place} is a file, and neither a directory nor an archive`,
      "As in site.zip or app.tar.gz",
    );
  if (/^[./]/.test(place)) throw new UsageError(`there is no directory ${place}`);
  // As people copy it: github.com/you/app
  if (/^[\w-]+(\.[\w-]+)+(:\d+)?\/./.test(place)) return { kind: "git", url: `https://${place}` };
  throw new UsageError(
    `"${place}" is neither a directory here nor a git URL`,
    "As in https://github.com/you/app, or . for this directory",
  );
}

const isBare = (path: string): boolean =>
  !existsSync(join(path, ".git")) &&
  ["HEAD", "objects", "refs"].every((part) => existsSync(join(path, part)));

/** A DNS label made of a directory's name: `My Shop!` is `my-shop`. */
function nameOf(directory: string): string {
  const name = directory
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  if (!name) throw new UsageError(`"${directory}" makes no name for an app`, "Give it one with --name.");
  return name;
}
