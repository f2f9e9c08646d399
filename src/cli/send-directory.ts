import type { CliContext } from "./cli-context.ts";
import { size } from "./readable.ts";

/** Sends a directory to the box and answers the upload's id. Compressed when it goes over a network. */
export async function sendDirectory(directory: string, { box, io, json }: CliContext): Promise<string> {
  const { packDirectory } = await import("../engine/source/pack-directory.ts");
  const packed = packDirectory(directory);
  const far = box.door.kind === "url";
  const body = far ? packed.pipeThrough(new CompressionStream("gzip") as never) : packed;
  const { upload_id, size_bytes } = await box.json<{ upload_id: string; size_bytes: number }>({
    method: "POST",
    path: "/uploads",
    body: body as ReadableStream<Uint8Array>,
    headers: { "content-type": far ? "application/gzip" : "application/x-tar" },
  });
  if (!json) io.err(`sent ${directory} (${size(size_bytes)})\n`);
  return upload_id;
}
