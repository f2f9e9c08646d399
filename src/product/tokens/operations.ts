import { Type as t } from "@sinclair/typebox";
import { operation, Reply } from "../../operation.ts";
import { Token } from "./token.ts";

export const list = operation({
  verb: "tokens",
  method: "GET",
  path: "/tokens",
  summary: "API tokens (never their secrets)",
  input: t.Object({}),
  output: t.Array(Token),
  permission: "tokens:write",
  run: (_call, { access }) => access.tokens(),
});

export const create = operation({
  verb: "tokens:create",
  method: "POST",
  path: "/tokens",
  summary: "Make an API token; its secret is shown once",
  input: t.Object({
    name: t.String({ minLength: 1, maxLength: 100 }),
    scopes: t.Optional(
      t.Array(t.String(), { description: "read, deploy, write, admin or single permissions; default read" }),
    ),
    expires_in_days: t.Optional(
      t.Integer({ minimum: 1, maximum: 3650, description: "Default: it never ends" }),
    ),
  }),
  output: t.Object({ token: t.String(), ...Token.properties }),
  permission: "tokens:write",
  audit: "token.created",
  args: ["name"],
  run: ({ input, actor }, { access }) => new Reply(201, access.createToken(input, actor)),
});

export const revoke = operation({
  verb: "tokens:revoke",
  method: "DELETE",
  path: "/tokens/:token",
  summary: "Make a token useless",
  input: t.Object({ token: t.String({ description: "Its id" }) }),
  output: t.Object({ revoked: t.Boolean() }),
  permission: "tokens:write",
  audit: "token.revoked",
  args: ["token"],
  run: ({ input }, { access }) => access.revokeToken(input.token),
});

export const loginLink = operation({
  verb: "login-link",
  method: "POST",
  path: "/login-links",
  summary: "A one-time sign-in link for the dashboard, good for 10 minutes",
  input: t.Object({}),
  output: t.Object({ url: t.String(), urls: t.Array(t.String()), expires_at: t.String() }),
  permission: "box:owner",
  audit: "login_link.created",
  run: (_call, { access, system }) => access.createLoginLink(system.dashboardUrls()),
});
