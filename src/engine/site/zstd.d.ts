// Bun has zstd where the types of Node 20 do not know of it yet.
import type { Transform } from "node:stream";

declare module "node:zlib" {
  function createZstdCompress(options?: { params?: Record<number, number> }): Transform;
  namespace constants {
    const ZSTD_c_compressionLevel: number;
  }
}
