import { describe, expect, test } from "bun:test";
import { Layout } from "../../ui/layout.tsx";
import { AppPage } from "../../ui/pages/app.tsx";
import { HomePage } from "../../ui/pages/home.tsx";
import { appView, homeView, samplePages } from "./sample-views.tsx";

const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;b&gt;javascript:alert(1)`;

/** Words that the code itself chooses, and times; everything else a person or program could have written. */
const ours = new Set(["kind", "tab", "filter", "started_at"]);
const isTime = (text: string) => /^\d{4}-\d\d-\d\dT/.test(text);
const isPhaseStatus = (text: string) => ["pending", "running", "done", "failed", "skipped"].includes(text);

function poisoned(value: unknown, key = ""): unknown {
  if (typeof value === "string")
    return ours.has(key) || isTime(value) || (key === "status" && isPhaseStatus(value)) ? value : hostile;
  if (Array.isArray(value)) return value.map((each) => poisoned(each));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, poisoned(each, name)]));
}

interface Seen {
  tags: Set<string>;
  attributes: { tag: string; name: string; value: string }[];
}

/** What a browser's parser makes of it: values with their entities still in place. */
async function parsed(html: string): Promise<Seen> {
  const seen: Seen = { tags: new Set(), attributes: [] };
  const rewriter = new HTMLRewriter().on("*", {
    element(element) {
      seen.tags.add(element.tagName);
      for (const [name, value] of element.attributes)
        seen.attributes.push({ tag: element.tagName, name, value });
    },
  });
  await rewriter.transform(new Response(html)).text();
  return seen;
}

describe("every page escapes every value", () => {
  for (const { name, view, render } of samplePages) {
    test(name, async () => {
      const html = render(poisoned(view) as never) as string;
      expect(html.includes("<script")).toBe(false);
      expect(html.includes("<img")).toBe(false);
      const { tags, attributes } = await parsed(html);
      expect([...tags].filter((tag) => ["script", "img", "b&gt;", "style"].includes(tag))).toEqual([]);
      expect(attributes.filter((each) => /^on/i.test(each.name))).toEqual([]);
      expect(
        attributes.filter(
          (each) => ["href", "action", "src"].includes(each.name) && /^\W*javascript:/i.test(each.value),
        ),
      ).toEqual([]);
      // `&lt;b&gt;` as it was typed has to stay that in an attribute, not become a tag's text.
      for (const each of attributes.filter((one) => one.value.includes("&lt;b")))
        expect(each.value).toContain("&amp;lt;b&amp;gt;");
    });
  }

  test("Layout", () => {
    const html = Layout({
      title: hostile,
      section: "apps",
      assets: { stylesheet: "/a.css", script: "/a.js", theme: "/t.js", favicon: "/f.svg" },
      actor: hostile,
      children: "",
    });
    expect(html.includes("<script>alert")).toBe(false);
    expect(html.includes("<img")).toBe(false);
    expect(html).toStartWith("<!doctype html><html");
  });

  test("a page says nothing of what is not there: no address without a release, no memory without a container", () => {
    const app = { ...appView.app, release: null };
    expect(AppPage({ ...appView, app })).not.toContain('href="http://blog.local');
    expect(AppPage(appView)).toContain("Memory and processor");
    const instances = appView.instances.map((each) => ({ ...each, address: null }));
    expect(AppPage({ ...appView, instances })).not.toContain("Memory and processor");
  });

  test("the home page offers to deploy also when every app needs someone", () => {
    const apps = homeView.apps.filter(({ status }) => status === "error");
    expect(apps).toHaveLength(1);
    expect(HomePage({ ...homeView, apps })).toContain('href="/apps/new"');
  });

  test("a page without hostile values says what it should", () => {
    const html = samplePages
      .find(({ name }) => name === "app")
      ?.render(samplePages[1]?.view as never) as string;
    for (const words of [
      "blog",
      "v14",
      "4f0c2d1",
      "Fix the feed",
      "build_failed",
      "out of memory",
      "diplo apps:info blog",
    ]) {
      expect(html.includes(words) || words).toBe(true);
    }
  });
});
