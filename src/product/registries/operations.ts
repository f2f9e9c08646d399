import { Type as t } from "@sinclair/typebox";
import { operation, Reply } from "../../operation.ts";
import { Registry } from "./registry.ts";

const RegistryRef = t.String({ minLength: 1, maxLength: 300, description: "Its server or id" });

export const list = operation({
  verb: "registries",
  method: "GET",
  path: "/registries",
  summary: "Private registries that the box can sign in to (never their passwords)",
  input: t.Object({}),
  output: t.Array(Registry),
  permission: "system:read",
  run: (_call, { registries }) => registries.list(),
});

export const add = operation({
  verb: "registries:add",
  method: "POST",
  path: "/registries",
  summary: "Sign in to a registry whenever an image or a base image comes from there",
  input: t.Object({
    server: t.String({
      minLength: 1,
      maxLength: 300,
      description: "Host and port: ghcr.io, registry.lan:5000",
    }),
    username: t.String({ minLength: 1, maxLength: 300 }),
    password: t.String({ minLength: 1, maxLength: 8192, description: "Or an access token" }),
  }),
  output: Registry,
  permission: "system:write",
  audit: "registry.added",
  private: ["password"],
  args: ["server", "username"],
  example: "diplo registries:add ghcr.io you --password -",
  run: async ({ input, actor }, { registries }) => new Reply(201, await registries.add(input, actor.name)),
});

export const remove = operation({
  verb: "registries:remove",
  method: "DELETE",
  path: "/registries/:registry",
  summary: "Forget the credentials for a registry",
  input: t.Object({ registry: RegistryRef }),
  output: t.Object({ removed: t.Boolean() }),
  permission: "system:write",
  audit: "registry.removed",
  args: ["registry"],
  run: ({ input }, { registries }) => {
    registries.remove(input.registry);
    return { removed: true };
  },
});

export const test = operation({
  verb: "registries:test",
  method: "POST",
  path: "/registries/:registry/test",
  summary: "Sign in to a registry now, to see whether it lets the box in",
  input: t.Object({ registry: RegistryRef }),
  output: Registry,
  permission: "system:write",
  audit: "registry.tested",
  args: ["registry"],
  run: ({ input, signal }, { registries }) => registries.test(input.registry, signal),
});
