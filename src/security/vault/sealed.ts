import { DiploError } from "../../errors.ts";

/** What a value belongs to. Authenticated with it: a sealed value moved elsewhere does not open. */
export interface SealContext {
  app: string;
  environment: string;
  name: string;
  version: number;
}

const FORMAT = 1;
export const KEY_ID_BYTES = 8;
export const NONCE_BYTES = 24;
const HEAD_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;

export interface SealedParts {
  keyId: Uint8Array;
  nonce: Uint8Array;
  cipher: Uint8Array;
}

/** `format (1) · key id (8) · nonce (24) · ciphertext with its tag (16)`. */
export function packSealed({ keyId, nonce, cipher }: SealedParts): Uint8Array {
  const sealed = new Uint8Array(HEAD_BYTES + cipher.length);
  sealed[0] = FORMAT;
  sealed.set(keyId, 1);
  sealed.set(nonce, 1 + KEY_ID_BYTES);
  sealed.set(cipher, HEAD_BYTES);
  return sealed;
}

/** Throws `sealed_damaged` for anything that this Diplo did not write. */
export function unpackSealed(sealed: Uint8Array): SealedParts {
  if (sealed[0] !== FORMAT || sealed.length < HEAD_BYTES + 16)
    throw new DiploError("sealed_damaged", "not a sealed value of a known format", { status: 500 });
  return {
    keyId: sealed.subarray(1, 1 + KEY_ID_BYTES),
    nonce: sealed.subarray(1 + KEY_ID_BYTES, HEAD_BYTES),
    cipher: sealed.subarray(HEAD_BYTES),
  };
}

/** Associated data: every field with its length before it, so that no two contexts read the same. */
export function associatedData(
  keyId: Uint8Array,
  { app, environment, name, version }: SealContext,
): Uint8Array {
  const fields = ["diplo.seal", app, environment, name, String(version)].map((field) => Buffer.from(field));
  const framed = fields.flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  });
  return Buffer.concat([Buffer.of(FORMAT), keyId, ...framed]);
}
