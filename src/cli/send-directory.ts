import type { Detected } from "../product/sources/detect.ts";
import type { CliContext } from "./cli-context.ts";
import { pathSegment } from "./operation-request.ts";
import { size } from "./readable.ts";

export interface Sent {
  upload_id: string;
  size_bytes: number;
  /** null = the box recognised nothing in it. */
  detected: Detected | null;
}

/** Sends a directory for an app to be deployed from. Compressed when it goes over a network. */
export async function sendDirectory(directory: string, app: string, context: CliContext): Promise<Sent> {
  const { packDirectory } = await import("../engine/source/pack-directory.ts");
  const packed = packDirectory(directory);
  const far = context.box.door.kind === "url";
  const body = far ? packed.pipeThrough(new CompressionStream("gzip") as never) : packed;
  const type = far ? "application/gzip" : "application/x-tar";
  return send(directory, body as ReadableStream<Uint8Array>, type, app, context);
}

/** Sends an archive (zip, tar, tar.gz) as it is. */
export async function sendArchive(file: string, app: string, context: CliContext): Promise<Sent> {
  return send(file, Bun.file(file).stream(), "application/octet-stream", app, context);
}

async function send(
  place: string,
  body: ReadableStream<Uint8Array>,
  type: string,
  app: string,
  { box, io, json }: CliContext,
): Promise<Sent> {
  const path = `/apps/${pathSegment(app)}/uploads`;
  const sent = await box.json<Sent>({ method: "POST", path, body, headers: { "content-type": type } });
  if (!json) io.err(`sent ${place} (${size(sent.size_bytes)})\n`);
  return sent;
}
