import { Type as t } from "@sinclair/typebox";
import { operation } from "../../operation.ts";
import { AppRef } from "../schema.ts";

export const domains = operation({
  verb: "domains",
  method: "GET",
  path: "/apps/:app/domains",
  summary: "Every name and port the app answers at",
  input: t.Object({ app: AppRef }),
  output: t.Array(
    t.Object({ name: t.String(), url: t.String(), kind: t.Union([t.Literal("host"), t.Literal("port")]) }),
  ),
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { routes }) => routes.addresses(input.app),
});
