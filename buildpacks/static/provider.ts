import type { Choice } from "../../src/engine/build/plan.ts";
import { emptyPlan, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { serveFiles } from "./files-image.ts";

/** First of these that has an index.html; the repository's own root last. */
const ROOTS = ["dist", "build", "out", "public", "_site", "."];

/** A site of plain files: an index.html and no program. */
export const staticProvider: Provider = {
  name: "static",
  looks_for: "index.html at the root or in dist, build, out, public, _site",
  start_from: "index.html",
  async detect(tree) {
    if (/^web\s*:/m.test((await tree.read("Procfile")) ?? "")) return null;
    const index = await firstOf(tree, ROOTS.map(indexOf));
    return index === null ? null : [index];
  },
  async plan(tree, { evidence }) {
    const plan = emptyPlan("static", evidence);
    const index = evidence[0]!;
    const root = index.includes("/") ? index.slice(0, index.lastIndexOf("/")) : ".";
    serveFiles(plan, {
      root: { value: root, from: index },
      spa: await singlePage(tree, root),
      stage: "",
      path: root === "." ? "." : `${root}/`,
    });
    return plan;
  },
};

function indexOf(root: string): string {
  return root === "." ? "index.html" : `${root}/index.html`;
}

/** Said by the site itself: a catch-all rewrite in the file that static hosts share. */
async function singlePage(tree: SourceTree, root: string): Promise<Choice<boolean>> {
  const inRoot = (name: string) => (root === "." ? name : `${root}/${name}`);
  const redirects = await tree.read(inRoot("_redirects"));
  if (redirects !== null && /^\/\*\s+\/(index\.html)?\s+200\b/m.test(redirects)) {
    return { value: true, from: inRoot("_redirects") };
  }
  return { value: false, from: "no catch-all rewrite found" };
}
