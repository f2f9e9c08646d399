import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { SiteFile, SiteManifest } from "../../src/proxy/protocol.ts";

export const MODIFIED_AT = Date.UTC(2026, 0, 2, 3, 4, 5);
export const LAST_MODIFIED = "Fri, 02 Jan 2026 03:04:05 GMT";

export interface Content {
  content: string | Buffer;
  type?: string;
  variants?: ("br" | "gzip")[];
}

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  txt: "text/plain; charset=utf-8",
};

/** Puts a static release below the proxy's directory, as control does. */
export async function writeSite(
  proxyDirectory: string,
  name: string,
  contents: Record<string, string | Content>,
  more: Partial<SiteManifest> = {},
): Promise<SiteManifest> {
  const directory = join(proxyDirectory, "sites", name);
  await mkdir(directory, { recursive: true });
  const files: Record<string, SiteFile> = {};
  for (const [path, given] of Object.entries(contents)) {
    const { content, type, variants = [] } = typeof given === "string" ? { content: given } : given;
    const bytes = Buffer.from(content);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    await writeFile(join(directory, sha256), bytes);
    const file: SiteFile = {
      sha256,
      size: bytes.length,
      type: type ?? TYPES[path.split(".").at(-1)!] ?? "application/octet-stream",
      modified_at: MODIFIED_AT,
      variants: {},
    };
    for (const variant of variants) {
      const packed = variant === "br" ? brotliCompressSync(bytes) : gzipSync(bytes);
      await writeFile(join(directory, `${sha256}.${variant === "br" ? "br" : "gz"}`), packed);
      file.variants[variant] = packed.length;
    }
    files[path] = file;
  }
  const manifest: SiteManifest = {
    version: 1,
    files,
    index: "index.html",
    spa: false,
    error_page: null,
    cache_control: null,
    headers: [],
    redirects: [],
    ...more,
  };
  await writeFile(join(directory, "manifest.json"), JSON.stringify(manifest));
  return manifest;
}
