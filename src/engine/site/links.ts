import { dirname, join } from "node:path/posix";

export interface SiteLink {
  path: string;
  target: string;
}

/** As many as the kernel follows (path_resolution(7)); more would let a hostile tree keep us busy for minutes. */
const MAX_IN_A_ROW = 40;

/**
 * Gives links the files that they lead to, by path alone: nothing is ever looked up outside the given files, so that
 * no link can serve what is not part of the site. Answers the links that lead nowhere in it.
 */
export function followLinks<T>(files: Map<string, T>, links: SiteLink[], maxFiles: number): SiteLink[] {
  const tree = new FileTree(files, maxFiles);
  let left = links;
  // A link may lead to a link: each round follows those whose target is known by now.
  for (let before = -1, round = 0; left.length !== before && round < MAX_IN_A_ROW; round++) {
    before = left.length;
    left = left.filter((link) => !follow(tree, link));
  }
  return left;
}

function follow<T>(tree: FileTree<T>, { path, target }: SiteLink): boolean {
  const to = target.startsWith("/") ? ".." : join(dirname(path), target).replace(/\/$/, "");
  if (to === ".." || to.startsWith("../")) return false;
  const file = tree.files.get(to);
  if (file !== undefined) {
    tree.add(path, file);
    return true;
  }
  // A link to a directory that holds it would go on for ever.
  if (to === "." || path.startsWith(`${to}/`)) return false;
  const below = tree.below(to);
  for (const [name, found] of below) tree.add(path + name.slice(to.length), found);
  return below.length > 0;
}

/** Files by path, and what each directory holds, so that looking costs no more than what is found. */
class FileTree<T> {
  private readonly held = new Map<string, Set<string>>();
  /** Directories that hold more than there is room for. */
  private readonly tooLarge = new Set<string>();

  constructor(
    readonly files: Map<string, T>,
    private readonly maxFiles: number,
  ) {
    for (const path of files.keys()) this.enter(path);
  }

  add(path: string, file: T): void {
    this.files.set(path, file);
    this.enter(path);
  }

  /** The files below a directory; none when there is no room for as many more. */
  below(directory: string): [path: string, file: T][] {
    if (this.tooLarge.has(directory)) return [];
    const found: [string, T][] = [];
    const left = [directory];
    for (let at = left.pop(); at !== undefined; at = left.pop())
      for (const path of this.held.get(at) ?? []) {
        const file = this.files.get(path);
        if (file !== undefined) found.push([path, file]);
        if (this.held.has(path)) left.push(path);
        if (this.files.size + found.length <= this.maxFiles) continue;
        this.tooLarge.add(directory);
        return [];
      }
    return found;
  }

  /** Makes a path known to its directory, and that one to its own. */
  private enter(path: string): void {
    const parent = dirname(path);
    const known = this.held.get(parent);
    if (known !== undefined) return void known.add(path);
    this.held.set(parent, new Set([path]));
    if (parent !== ".") this.enter(parent);
  }
}
