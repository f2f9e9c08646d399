import { link, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DiploError } from "../../errors.ts";

export const MASTER_KEY_BYTES = 32;
const FORM = /^diplo-master-key-1:([0-9a-f]{64})\n?$/;

/**
 * Reads the master key, or null when there is no such file. Refuses a file that others may read or write
 * (`master_key_exposed`) and one that holds something else (`master_key_damaged`). Its content is in no error.
 */
export async function readMasterKey(file: string): Promise<Uint8Array | null> {
  const facts = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (facts === null) return null;
  if ((facts.mode & 0o077) !== 0)
    throw new DiploError("master_key_exposed", `${file} is open to other users of this machine`, {
      hint: `Run: chmod 600 ${file}`,
    });
  const match = FORM.exec(await Bun.file(file).text());
  if (!match?.[1])
    throw new DiploError("master_key_damaged", `${file} does not hold a master key`, {
      hint: "Put the right file back from your backup.",
    });
  return Uint8Array.fromHex(match[1]);
}

/**
 * Writes a fresh key, durable before its name appears: a crash leaves the whole key or none. An existing file is
 * never overwritten (link fails with EEXIST).
 */
export async function createMasterKey(file: string, key: Uint8Array): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`;
  await rm(draft, { force: true });
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(`diplo-master-key-1:${key.toHex()}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(file));
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
