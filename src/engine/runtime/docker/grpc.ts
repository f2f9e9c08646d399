import http2 from "node:http2";
import type { Duplex } from "node:stream";

/** gRPC status codes that are used (grpc.io, status codes). */
export const GRPC_OK = 0;
export const GRPC_UNKNOWN = 2;
export const GRPC_NOT_FOUND = 5;
export const GRPC_UNIMPLEMENTED = 12;

const FRAME_HEADER_BYTES = 5;
/** The caller has not taken a byte for this long. */
const STALL_TIMEOUT_MS = 20_000;
/** Message of that failure; the caller repeats it in its own words. */
export const STALLED = "transfer stalled";

/** A method failed in a way the caller should be told as a status. */
export class GrpcStatus extends Error {
  override name = "GrpcStatus";
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** One call in progress. Messages are raw protobuf. */
export interface GrpcCall {
  /** The caller's metadata; values of a repeated key are joined by ", ". */
  metadata: Record<string, string>;
  /** What the caller sends, as it comes. */
  messages: AsyncIterable<Uint8Array>;
  /** Resolves when the next message may be sent: the caller's window bounds memory. */
  send(message: Uint8Array): Promise<void>;
}

export type GrpcMethod = (call: GrpcCall) => Promise<void>;

/** Serves gRPC methods, by full path, on a connection that is already open. Ends with the connection. */
export function serveGrpc(socket: Duplex, methods: Record<string, GrpcMethod>): void {
  const server = http2.createServer();
  server.on("sessionError", () => {});
  server.on("stream", (stream, headers) => void answer(stream, headers, methods));
  server.emit("connection", socket);
}

async function answer(
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  methods: Record<string, GrpcMethod>,
): Promise<void> {
  let trailers: Record<string, string> = { "grpc-status": String(GRPC_OK) };
  stream.on("error", () => {});
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  try {
    const method = methods[String(headers[":path"])];
    if (!method) throw new GrpcStatus(GRPC_UNIMPLEMENTED, "unknown method");
    await method(call(stream, headers));
  } catch (error) {
    const status = error instanceof GrpcStatus ? error.status : GRPC_UNKNOWN;
    // Percent-encoded, as the protocol wants it.
    trailers = {
      "grpc-status": String(status),
      "grpc-message": encodeURIComponent((error as Error).message),
    };
  }
  if (!stream.destroyed) stream.end();
}

function call(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): GrpcCall {
  const metadata = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, String(value)]));
  // Whoever has read enough still wants to answer: leaving the loop must not destroy the stream.
  const chunks = stream.iterator({ destroyOnReturn: false });
  return { metadata, messages: grpcMessages(chunks), send: (message) => send(stream, message) };
}

async function send(stream: http2.ServerHttp2Stream, message: Uint8Array): Promise<void> {
  if (stream.destroyed) throw new Error("the caller is gone");
  if (stream.write(grpcFrame(message))) return;
  const room = Promise.withResolvers<void>();
  const stalled = () => room.reject(new GrpcStatus(GRPC_UNKNOWN, STALLED));
  const timer = setTimeout(stalled, STALL_TIMEOUT_MS);
  stream.on("drain", room.resolve);
  stream.on("close", room.resolve);
  try {
    await room.promise;
  } finally {
    clearTimeout(timer);
    stream.off("drain", room.resolve);
    stream.off("close", room.resolve);
  }
}

/** One byte "not compressed", four of length, the message. */
export function grpcFrame(message: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, FRAME_HEADER_BYTES);
  return frame;
}

/** Messages out of a stream of frames, whatever the borders of its chunks. */
export async function* grpcMessages(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk]);
    let at = 0;
    while (pending.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + pending.readUInt32BE(at + 1);
      if (end > pending.length) break;
      yield pending.subarray(at + FRAME_HEADER_BYTES, end);
      at = end;
    }
    pending = pending.subarray(at);
  }
}
