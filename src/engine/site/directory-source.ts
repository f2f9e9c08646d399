import { contextFile, contextTree } from "../runtime/docker/context-tree.ts";
import { ignoreRules } from "../runtime/docker/ignore-rules.ts";
import type { SiteSource } from "./site-source.ts";

/** The files of a directory, less what its own `.dockerignore` leaves out. Links are told, never followed. */
export function directorySource(root: string): SiteSource {
  return async (take) => {
    for await (const entry of contextTree(root, await ignoreRules(root, null))) {
      const { path, type } = entry;
      if (type === "file") await take({ type, path, content: contextFile(root, entry) });
      else if (type === "symlink") await take({ type: "link", path, target: entry.linkname });
    }
  };
}
