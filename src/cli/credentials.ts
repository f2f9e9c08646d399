import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";

/** What `diplo login` keeps for one person: the box's address and a token, in a file only they can read. */
export interface Credentials {
  url: string;
  token: string;
}

const fileIn = (directory: string): string => join(directory, "credentials.json");

/** null when nobody signed in, or the file is not ours to understand. */
export function readCredentials(directory: string): Credentials | null {
  try {
    const { url, token } = JSON.parse(readFileSync(fileIn(directory), "utf8"));
    return typeof url === "string" && typeof token === "string" ? { url, token } : null;
  } catch {
    return null;
  }
}

/** Replaces the file as a whole; mode 0600 from its first moment. */
export async function writeCredentials(directory: string, credentials: Credentials): Promise<string> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = fileIn(directory);
  const draft = `${file}.${process.pid}`;
  rmSync(draft, { force: true });
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(credentials, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  return file;
}

/** Answers whether there was something to forget. */
export function forgetCredentials(directory: string): boolean {
  const known = readCredentials(directory) !== null;
  rmSync(fileIn(directory), { force: true });
  return known;
}
