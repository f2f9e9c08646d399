import { Type as t } from "@sinclair/typebox";
import { operation } from "../../operation.ts";
import { lookAtRepository } from "./look-at-repository.ts";

export const look = operation({
  verb: "sources:look",
  method: "POST",
  path: "/sources/look",
  summary: "What a repository holds and how it would be built, before deploying it",
  input: t.Object({
    repo_url: t.String({ minLength: 1, maxLength: 2048 }),
    branch: t.Optional(t.String()),
    subdirectory: t.Optional(t.String()),
    github_token: t.Optional(t.String()),
  }),
  output: t.Object({
    repo_url: t.String(),
    suggested_name: t.String(),
    branch: t.Union([t.String(), t.Null()]),
    branches: t.Array(t.String()),
    commit: t.Union([t.String(), t.Null()]),
    provider: t.String(),
    /** Label, value and where it came from, e.g. `Node`, `22`, `engines.node in package.json`. */
    findings: t.Array(t.Object({ label: t.String(), value: t.String(), from: t.String() })),
    /** From `.env.example` or app.json. */
    config: t.Array(
      t.Object({ name: t.String(), value: t.String(), description: t.String(), required: t.Boolean() }),
    ),
    warnings: t.Array(t.String()),
  }),
  permission: "deploy",
  private: ["github_token"],
  args: ["repo_url"],
  run: ({ input, signal }, parts) => lookAtRepository(input, signal, parts),
});
