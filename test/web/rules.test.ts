import { expect, test } from "bun:test";
import type { App } from "../../src/product/apps/app.ts";
import { DEFAULT_SETTINGS } from "../../src/product/environments/settings.ts";
import type { Release } from "../../src/product/releases/release.ts";
import { configChanges } from "../../src/web/config-raw.tsx";
import { logTail } from "../../src/web/log-tail.ts";
import { releaseDifferences } from "../../src/web/release-differences.ts";
import { searchHits } from "../../src/web/search.tsx";
import { changesOf, settingValues } from "../../src/web/setting-values.ts";
import { secretOf } from "../../src/web/sign-in.tsx";

test("secretOf takes a link or what follows its #", () => {
  expect(secretOf("http://box:8080/setup#abc_-1")).toBe("abc_-1");
  expect(secretOf("abc_-1")).toBe("abc_-1");
});

test("changesOf finds nothing in unchanged settings", () => {
  expect(changesOf(DEFAULT_SETTINGS, settingValues(DEFAULT_SETTINGS))).toEqual({});
});

test("changesOf nests what changed, null for an emptied field", () => {
  const settings = { ...DEFAULT_SETTINGS, port: 3000 };
  const wanted = { ...settingValues(settings), "health.path": "/up", "limits.cpus": "0.5", port: " " };
  expect(changesOf(settings, wanted)).toEqual({
    health: { path: "/up" },
    limits: { cpus: "0.5" },
    port: null,
  });
});

test("configChanges lists added, changed and removed names, nothing else", () => {
  const before = new Map([
    ["A", "1"],
    ["B", "1"],
    ["C", "1"],
  ]);
  const after = new Map([
    ["A", "1"],
    ["B", "2"],
    ["D", "1"],
  ]);
  expect(configChanges(before, after).map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    "B changed",
    "C removed",
    "D added",
  ]);
});

const release = (more: Partial<Release>): Release => ({
  version: 2,
  status: "current",
  image_id: "sha256:1",
  image: null,
  site: null,
  commit: "aaaaaaaaaa",
  commit_message: null,
  provider: "node",
  processes: { web: { command: ["node", "a.js"], from: "Procfile" } },
  config: { A: 1 },
  from_release: null,
  created_by: "owner",
  created_at: "2026-11-21T12:00:00.000Z",
  ...more,
});

test("releaseDifferences names commit, config and commands, in words", () => {
  const after = release({
    commit: "bbbbbbbbbb",
    config: { A: 2, B: 1 },
    processes: { web: { command: null, from: "image" } },
  });
  expect(releaseDifferences(release({}), after)).toEqual([
    "commit aaaaaaa → bbbbbbb",
    "config A, B",
    "commands of web",
  ]);
  expect(releaseDifferences(null, after)).toEqual(["first release"]);
  expect(releaseDifferences(release({}), release({ image_id: "sha256:2" }))).toEqual(["rebuilt"]);
});

test("searchHits finds apps, addresses, settings and pages by every word", () => {
  const app = {
    name: "blog",
    environment: "staging",
    status: "running",
    urls: ["http://blog-staging.local"],
  } as App;
  expect(searchHits("blog", [app])[0]).toMatchObject({ kind: "app", href: "/apps/blog%40staging" });
  expect(searchHits("blog memory", [app])).toEqual([
    {
      kind: "setting",
      text: "blog@staging",
      detail: "limits and release",
      href: "/apps/blog%40staging/settings#limits-title",
    },
  ]);
  expect(searchHits("staging.local", [app])[0]?.kind).toBe("address");
  expect(searchHits("tokens", [app])[0]?.href).toBe("/box/tokens");
  expect(searchHits("nothing like it", [app])).toEqual([]);
});

test("logTail reads a log in pieces and keeps its last lines", async () => {
  const whole = Buffer.from(Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join(""));
  const log = {
    read: async (from: number) => {
      const piece = whole.subarray(from, from + 1000);
      const end = piece.lastIndexOf(10) + 1;
      return { text: piece.subarray(0, end).toString(), next: from + end };
    },
  };
  const { lines, end } = await logTail(log);
  expect(end).toBe(whole.length);
  expect([lines.length, lines.at(-1)?.text]).toEqual([2000, "line 4999"]);
});
