import { createHash } from "node:crypto";
import { DiploError } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import { createMasterKey, MASTER_KEY_BYTES, readMasterKey } from "./master-key.ts";
import {
  associatedData,
  KEY_ID_BYTES,
  NONCE_BYTES,
  packSealed,
  type SealContext,
  unpackSealed,
} from "./sealed.ts";

export type { SealContext } from "./sealed.ts";

type Sodium = typeof import("libsodium-wrappers")["default"];

export interface VaultOptions {
  /** Path of the master key, mode 0600; made when neither it nor a key in the database exists. */
  keyFile: string;
  store: Store;
}

/** Seals secrets at rest with XChaCha20-Poly1305 (libsodium). The key never leaves this object. */
export class Vault {
  readonly #key: Uint8Array;
  readonly #keyId: Uint8Array;
  readonly #sodium: Sodium;

  private constructor(sodium: Sodium, key: Uint8Array) {
    this.#sodium = sodium;
    this.#key = key;
    this.#keyId = keyIdOf(key);
  }

  /**
   * Refuses a key file that others may read, and one that is not the key this database was sealed with
   * (`master_key_missing`, `master_key_differs`).
   */
  static async open({ keyFile, store }: VaultOptions): Promise<Vault> {
    // Loaded here, not at import: the proxy and the CLI never need it.
    const [sodium, stored] = await Promise.all([loadSodium(), readMasterKey(keyFile)]);
    const known = store.get<{ id: string }>("select id from keys where retired_at is null")?.id ?? null;
    if (stored === null && known !== null) throw keyMissing(keyFile);
    const key = stored ?? sodium.randombytes_buf(MASTER_KEY_BYTES);
    if (stored === null) await createMasterKey(keyFile, key);
    const vault = new Vault(sodium, key);
    if (known !== null && known !== vault.keyId) throw keyDiffers(keyFile);
    if (known === null)
      store.run("insert into keys (id, created_at) values ($id, $now)", { id: vault.keyId, now: Date.now() });
    return vault;
  }

  /** Names the key without telling anything about it. */
  get keyId(): string {
    return this.#keyId.toHex();
  }

  seal(plaintext: string | Uint8Array, context: SealContext): Uint8Array {
    const nonce = this.#sodium.randombytes_buf(NONCE_BYTES);
    const data = associatedData(this.#keyId, context);
    const bytes = typeof plaintext === "string" ? Buffer.from(plaintext) : plaintext;
    const cipher = this.#sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
      bytes,
      data,
      null,
      nonce,
      this.#key,
    );
    return packSealed({ keyId: this.#keyId, nonce, cipher });
  }

  /** Throws `sealed_damaged` when a byte was changed or the context is another than the one it was sealed for. */
  open(sealed: Uint8Array, context: SealContext): Uint8Array {
    const { keyId, nonce, cipher } = unpackSealed(sealed);
    if (!Buffer.from(keyId).equals(this.#keyId))
      throw new DiploError("sealed_with_other_key", `sealed with key ${keyId.toHex()}, not ${this.keyId}`, {
        status: 500,
        detail: `The value of ${context.name} was sealed with another master key.`,
      });
    try {
      const data = associatedData(keyId, context);
      return this.#sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, cipher, data, nonce, this.#key);
    } catch (cause) {
      throw new DiploError("sealed_damaged", `sealed value of ${context.name} does not open`, {
        status: 500,
        detail: `The stored value of ${context.name} is damaged, or belongs to something else.`,
        hint: "Set it again, or restore the database from a backup.",
        cause,
      });
    }
  }
}

async function loadSodium(): Promise<Sodium> {
  const { default: sodium } = await import("libsodium-wrappers");
  await sodium.ready;
  return sodium;
}

function keyIdOf(key: Uint8Array): Uint8Array {
  return createHash("sha256").update("diplo.key-id").update(key).digest().subarray(0, KEY_ID_BYTES);
}

function keyMissing(file: string): DiploError {
  return new DiploError("master_key_missing", `${file} is missing, but the database holds sealed values`, {
    detail: `The master key ${file} is gone. Without it no stored secret can be read.`,
    hint: "Put the file back from your backup; Diplo makes no new key over sealed values.",
  });
}

function keyDiffers(file: string): DiploError {
  return new DiploError("master_key_differs", `${file} is not the key this database was sealed with`, {
    detail: `The master key ${file} belongs to another database.`,
    hint: "Put the matching pair of diplo.db and master.key back from the same backup.",
  });
}
