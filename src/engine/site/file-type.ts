import { extname } from "node:path/posix";

/** What Bun's table leaves out, or tells as something that browsers do not expect. */
const OWN: Record<string, string> = {
  ".m2ts": "video/mp2t",
  ".jxl": "image/jxl",
  ".topojson": "application/json",
  ".webmanifest": "application/manifest+json",
};

/** Types that are text, or nearly, so that compressing them is worth trying. */
const COMPRESSIBLE =
  /^(text\/|application\/(json|javascript|xml|wasm|manifest\+json|ld\+json|geo\+json|toml|yaml|vnd\.ms-fontobject|[a-z.+-]+\+(xml|json))\b|image\/(svg\+xml|bmp|x-icon)|font\/(ttf|otf)|model\/gltf)/;

/** Content-Type of a file by its name, with the charset that every text of the web has by now. */
export function fileType(path: string): string {
  const extension = extname(path).toLowerCase();
  const type = OWN[extension] ?? Bun.file(`x${extension}`).type;
  return type.startsWith("text/") && !type.includes("charset") ? `${type};charset=utf-8` : type;
}

export function isCompressible(type: string): boolean {
  return COMPRESSIBLE.test(type);
}
