import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import type { RegistryCredential } from "../container-runtime.ts";
import { parseServer } from "../image-reference.ts";
import type { DockerClient } from "./docker-client.ts";
import { GRPC_NOT_FOUND, type GrpcMethod, GrpcStatus, serveGrpc } from "./grpc.ts";
import { protobufBytes, protobufFields, protobufVarint } from "./protobuf.ts";

export const GET_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
export const GET_CREDENTIALS = "/moby.filesync.v1.Auth/Credentials";
const HEALTH_CHECK = "/grpc.health.v1.Health/Check";

export interface BuildSession {
  id: string;
  close(): void;
}

/**
 * Opens the back channel through which BuildKit asks for what a build needs: gRPC services of ours, HTTP/2 over a
 * connection that the engine turned round. Builds with the same `sharedKey` share what was transferred before.
 */
export async function openBuildSession(
  client: DockerClient,
  sharedKey: string,
  services: Record<string, GrpcMethod>,
  signal: AbortSignal,
): Promise<BuildSession> {
  const id = randomUUID();
  const methods = { ...services, [HEALTH_CHECK]: healthy };
  const headers = {
    Connection: "Upgrade",
    Upgrade: "h2c",
    "X-Docker-Expose-Session-Uuid": id,
    "X-Docker-Expose-Session-Name": "diplo",
    "X-Docker-Expose-Session-Sharedkey": sharedKey,
    "X-Docker-Expose-Session-Grpc-Method": Object.keys(methods),
  };
  const request = { method: "POST" as const, path: "/session", headers, hijack: true };
  const socket = (await client.stream("build session", request, signal)) as Duplex;
  serveGrpc(socket, methods);
  return { id, close: () => void socket.destroy() };
}

/** Values for `RUN --mount=type=secret,id=…`. They never enter a layer or the build's arguments. */
export function secretStore(secrets: Record<string, string>): GrpcMethod {
  return async (call) => {
    for await (const message of call.messages) {
      const id = textField(message);
      if (!Object.hasOwn(secrets, id)) throw new GrpcStatus(GRPC_NOT_FOUND, `no secret "${id}" was given`);
      await call.send(protobufBytes(1, Buffer.from(secrets[id] ?? "")));
      return;
    }
  };
}

/** Who the box is at a registry that a base image comes from. A host it knows nothing of is asked without a name. */
export function registryCredentials(registries: RegistryCredential[]): GrpcMethod {
  return async (call) => {
    for await (const message of call.messages) {
      const host = textField(message);
      const known = registries.find(({ server }) => server === serverOf(host));
      const answer = known
        ? Buffer.concat([
            protobufBytes(1, Buffer.from(known.username)),
            protobufBytes(2, Buffer.from(known.password)),
          ])
        : Buffer.alloc(0);
      await call.send(answer);
      return;
    }
  };
}

function serverOf(host: string): string | null {
  try {
    return parseServer(host);
  } catch {
    return null;
  }
}

async function healthy(call: Parameters<GrpcMethod>[0]): Promise<void> {
  const serving = 1;
  await call.send(protobufVarint(1, serving));
}

/** The first field of a request, which is all that these have. */
function textField(message: Uint8Array): string {
  for (const [field, value] of protobufFields(message))
    if (field === 1 && typeof value !== "number") return Buffer.from(value).toString("utf8");
  return "";
}
