import { expect, test } from "bun:test";
import { checkName, hostLabel, joinRef, splitRef, suggestName } from "../../../src/product/apps/app-name.ts";

test("checkName takes DNS labels only, and none that stands for something else", () => {
  for (const name of ["a", "blog", "my-app-2", "0", "x".repeat(63)]) checkName("name", name);
  for (const name of ["", "-a", "a-", "A", "a_b", "a.b", "ä", "x".repeat(64), "www", "diplo"])
    expect(() => checkName("name", name)).toThrow(/^name: /);
});

test("suggestName makes a label out of an address", () => {
  expect(suggestName("https://github.com/you/My.Cool_App.git")).toBe("my-cool-app");
  expect(suggestName("/srv/repos/blog/")).toBe("blog");
  expect(suggestName("git@example.org:team/api.git")).toBe("app");
  expect(suggestName("https://example.org/---")).toBe("app");
  checkName("name", suggestName(`https://example.org/${"long-".repeat(40)}`));
});

test("splitRef knows production without being told", () => {
  expect(splitRef("blog")).toEqual({ app: "blog", environment: "production" });
  expect(splitRef("blog@staging")).toEqual({ app: "blog", environment: "staging" });
});

test("hostLabel stays a label for long names, and differs for different ones", () => {
  expect(hostLabel("blog", "production")).toBe("blog");
  expect(hostLabel("blog", "staging")).toBe("blog-staging");
  const long = hostLabel("x".repeat(60), "staging");
  expect(long.length).toBeLessThanOrEqual(63);
  expect(long).not.toBe(hostLabel("x".repeat(60), "preview"));
});

test("joinRef writes what splitRef reads", () => {
  for (const ref of ["blog", "blog@staging"]) {
    const { app, environment } = splitRef(ref);
    expect(joinRef(app, environment)).toBe(ref);
  }
});
