import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface Mirror extends Disposable {
  /** Where `folder` of the mirror answers. */
  url(folder: string): string;
}

/** Serves folders of files on one address. */
export function serveMirror(directory: string, hostname: string): Mirror {
  const server = Bun.serve({
    hostname,
    port: 0,
    async fetch(request) {
      const file = Bun.file(join(directory, new URL(request.url).pathname));
      return (await file.exists()) ? new Response(file) : new Response("not here", { status: 404 });
    },
  });
  return {
    url: (folder) => `http://${hostname}:${server.port}/${folder}`,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** A release as it is published: the executable, its checksum, the installer. `sums` may lie. */
export async function publish(
  folder: string,
  files: { executable: string | Uint8Array; installer: string; name: string; sum?: string },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const executable = join(folder, files.name);
  if (typeof files.executable === "string") await cp(files.executable, executable);
  else await writeFile(executable, files.executable);
  const sum =
    files.sum ?? new Bun.CryptoHasher("sha256").update(await Bun.file(executable).bytes()).digest("hex");
  await writeFile(join(folder, "SHA256SUMS"), `${sum}  ${files.name}\n`);
  await cp(files.installer, join(folder, "install.sh"));
}
