import { randomUUID } from "node:crypto";
import http2 from "node:http2";
import type { Duplex } from "node:stream";
import type { DockerClient } from "./docker-client.ts";
import { protobufBytes, protobufFields, protobufVarint } from "./protobuf.ts";

const GET_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
const HEALTH_CHECK = "/grpc.health.v1.Health/Check";

/** gRPC status codes (grpc.io, status codes). */
const OK = "0";
const NOT_FOUND = "5";
const UNIMPLEMENTED = "12";

const FRAME_HEADER_BYTES = 5;

export interface BuildSession {
  id: string;
  close(): void;
}

/**
 * Opens the back channel through which BuildKit asks for `RUN --mount=type=secret` values: a gRPC service of ours,
 * HTTP/2 over the connection that the engine turned round. The values never enter a layer or the build's arguments.
 */
export async function openBuildSession(
  client: DockerClient,
  secrets: Record<string, string>,
  signal: AbortSignal,
): Promise<BuildSession> {
  const id = randomUUID();
  const headers = {
    Connection: "Upgrade",
    Upgrade: "h2c",
    "X-Docker-Expose-Session-Uuid": id,
    "X-Docker-Expose-Session-Name": "diplo",
    "X-Docker-Expose-Session-Grpc-Method": [GET_SECRET, HEALTH_CHECK],
  };
  const request = { method: "POST" as const, path: "/session", headers, hijack: true };
  const socket = (await client.stream("build session", request, signal)) as Duplex;
  const server = http2.createServer();
  server.on("stream", (stream, header) => answer(stream, String(header[":path"]), secrets));
  server.on("sessionError", () => {});
  server.emit("connection", socket);
  return { id, close: () => void socket.destroy() };
}

function answer(stream: http2.ServerHttp2Stream, path: string, secrets: Record<string, string>): void {
  const chunks: Buffer[] = [];
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    const { status, body } = reply(path, Buffer.concat(chunks).subarray(FRAME_HEADER_BYTES), secrets);
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
    stream.end(body && grpcFrame(body));
  });
}

function reply(path: string, message: Uint8Array, secrets: Record<string, string>) {
  if (path === HEALTH_CHECK) return { status: OK, body: protobufVarint(1, 1) };
  if (path !== GET_SECRET) return { status: UNIMPLEMENTED, body: undefined };
  const id = secretId(message);
  if (!Object.hasOwn(secrets, id)) return { status: NOT_FOUND, body: undefined };
  return { status: OK, body: protobufBytes(1, Buffer.from(secrets[id] ?? "")) };
}

function secretId(message: Uint8Array): string {
  for (const [field, value] of protobufFields(message))
    if (field === 1 && typeof value !== "number") return Buffer.from(value).toString("utf8");
  return "";
}

// One byte "not compressed", four of length.
function grpcFrame(message: Uint8Array): Uint8Array {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
