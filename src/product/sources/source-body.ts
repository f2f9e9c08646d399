import { type Static, Type as t } from "@sinclair/typebox";
import type { SourceSpec } from "../../engine/source/source.ts";

/** Where an app or a deployment comes from, as the API shows it. */
export const SourceBody = t.Object({
  kind: t.Union([t.Literal("git"), t.Literal("upload"), t.Literal("image")]),
  repo_url: t.Union([t.String(), t.Null()]),
  branch: t.Union([t.String(), t.Null()]),
  tag: t.Union([t.String(), t.Null()]),
  commit: t.Union([t.String(), t.Null()]),
  /** Name of a prebuilt image. */
  image: t.Union([t.String(), t.Null()]),
  subdirectory: t.String(),
});
export type SourceBody = Static<typeof SourceBody>;

/** A source as the API shows it: every field is there, null where its kind has none. */
export function sourceBody(source: SourceSpec | null): SourceBody | null {
  if (source === null) return null;
  if (source.kind === "git") return { ...source, image: null };
  const none = { repo_url: null, branch: null, tag: null, commit: null, image: null, subdirectory: "" };
  if (source.kind === "image") return { ...none, kind: "image", image: source.image };
  return { ...none, kind: "upload", subdirectory: source.subdirectory };
}
