import { createHash, randomBytes } from "node:crypto";

/** 32 random bytes, URL-safe. */
export function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * What is kept of a secret. It is looked up by this hash: a 256-bit secret needs no slow hash, and how long the
 * index takes tells nothing about a secret whose hash nobody can steer.
 */
export function hashOf(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}
