import { createHash } from "node:crypto";
import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { mapLimited } from "../runtime/docker/map-limited.ts";

/** The proxy, which runs as another user of the same group, may read it; nobody else. */
export const FILE_MODE = 0o640;

/** Writes a new file, with its mode whatever the process's umask is. Not yet durable: see syncAll. */
export async function writeNewFile(
  path: string,
  content: AsyncIterable<Uint8Array>,
): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  let size = 0;
  const file = await open(path, "wx", FILE_MODE);
  try {
    for await (const piece of content) {
      hash.update(piece);
      size += piece.length;
      await file.writeFile(piece);
    }
    await file.chmod(FILE_MODE);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return { size, sha256: hash.digest("hex") };
}

/** Makes every file of a directory durable, and then the directory. Together they cost a third of one after another. */
export async function syncAll(directory: string): Promise<void> {
  await mapLimited(await readdir(directory), (name) => sync(join(directory, name)));
  await sync(directory);
}

export async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
