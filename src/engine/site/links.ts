import { dirname, join } from "node:path/posix";

export interface SiteLink {
  path: string;
  target: string;
}

/**
 * Gives links the files that they lead to, by path alone: nothing is ever looked up outside the given files, so that
 * no link can serve what is not part of the site. Answers the links that lead nowhere in it.
 */
export function followLinks<T>(files: Map<string, T>, links: SiteLink[], maxFiles: number): SiteLink[] {
  let left = links;
  // A link may lead to a link: each round follows those whose target is known by now.
  for (let before = -1; left.length !== before && left.length > 0; ) {
    before = left.length;
    left = left.filter((link) => !follow(files, link, maxFiles));
  }
  return left;
}

function follow<T>(files: Map<string, T>, { path, target }: SiteLink, maxFiles: number): boolean {
  const to = target.startsWith("/") ? ".." : join(dirname(path), target).replace(/\/$/, "");
  if (to === ".." || to.startsWith("../")) return false;
  const file = files.get(to);
  if (file !== undefined) {
    files.set(path, file);
    return true;
  }
  const prefix = to === "." ? "" : `${to}/`;
  // A link to a directory that holds it would go on for ever.
  if (path.startsWith(prefix)) return false;
  const below = [...files].filter(([name]) => name.startsWith(prefix));
  if (files.size + below.length > maxFiles) return false;
  for (const [name, found] of below) files.set(`${path}/${name.slice(prefix.length)}`, found);
  return below.length > 0;
}
