import { describe, expect, test } from "bun:test";
import type { GitSpec } from "../../../src/engine/source/repo-url.ts";
import {
  askedSource,
  nameFrom,
  nextSource,
  refuseOtherSource,
} from "../../../src/product/deployments/asked-source.ts";

const repo_url = "https://git.example.org/you/Blog.git";
const repository: GitSpec = {
  kind: "git",
  repo_url,
  branch: "main",
  tag: null,
  commit: null,
  subdirectory: "web",
};
const refusal = (code: string) => expect.objectContaining({ code });

describe("askedSource", () => {
  test("takes exactly one place", () => {
    expect(() => askedSource({})).toThrow("is missing");
    expect(() => askedSource({ repo_url, image: "nginx" })).toThrow("one source too many");
  });

  test("takes branch and subdirectory from beside the address", () => {
    const asked = askedSource({ repo_url, branch: "next", subdirectory: "api" });
    expect(asked.source).toMatchObject({ kind: "git", branch: "next", subdirectory: "api" });
    expect(asked.credential).toBeNull();
  });

  test("keeps a password of the address out of the source", () => {
    const asked = askedSource({ repo_url: "https://you:hidden@git.example.org/you/blog" });
    expect(asked.credential).toEqual({ kind: "password", username: "you", password: "hidden" });
    expect(JSON.stringify(asked.source)).not.toContain("hidden");
  });

  test("gives an image its tag, and refuses what is for repositories", () => {
    expect(askedSource({ image: "ghcr.io/you/blog:1", tag: "2" }).source).toEqual({
      kind: "image",
      image: "ghcr.io/you/blog:2",
    });
    expect(() => askedSource({ image: "nginx", branch: "main" })).toThrow("is for a repository");
  });
});

test("nameFrom suggests the repository's or the image's name, and none for a directory", () => {
  expect(nameFrom(repository)).toBe("blog");
  expect(nameFrom({ kind: "image", image: "ghcr.io/you/shop:1" })).toBe("shop");
  expect(nameFrom({ kind: "upload", upload_id: "u", subdirectory: "" })).toBe("");
});

describe("nextSource", () => {
  const blog = { app: "blog", source: repository };

  test("is the app's own when nothing else is asked for", () => {
    expect(nextSource(blog, {})).toEqual(repository);
  });

  test("lets go of the branch for a tag or a commit", () => {
    expect(nextSource(blog, { tag: "v2" })).toEqual({ ...repository, branch: null, tag: "v2" });
    expect(nextSource(blog, { commit: "1234567" })).toEqual({
      ...repository,
      branch: null,
      commit: "1234567",
    });
  });

  test("keeps the subdirectory when a directory is sent instead", () => {
    expect(nextSource(blog, { upload_id: "u" })).toEqual({
      kind: "upload",
      upload_id: "u",
      subdirectory: "web",
    });
  });

  test("is refused for an app that was never deployed", () => {
    expect(() => nextSource({ app: "blog", source: null }, {})).toThrow(refusal("no_source"));
  });
});

test("refuseOtherSource lets another branch, a first source and a replacement through, and nothing else", () => {
  const other: GitSpec = { ...repository, repo_url: "https://git.example.org/you/shop" };
  const blog = { app: "blog", source: repository };
  refuseOtherSource(blog, { ...repository, branch: "next" }, false);
  refuseOtherSource({ app: "blog", source: null }, other, false);
  refuseOtherSource(blog, other, true);
  expect(() => refuseOtherSource(blog, other, false)).toThrow(refusal("app_source_differs"));
});
