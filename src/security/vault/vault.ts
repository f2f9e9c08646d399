import { createHash, randomBytes } from "node:crypto";
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
  /** false: libsodium (13 MB, some 50 ms) is loaded by `ready()`, which has to come before any seal and open. */
  preload?: boolean;
}

/** Seals secrets at rest with XChaCha20-Poly1305 (libsodium). The key never leaves this object. */
export class Vault {
  readonly #key: Uint8Array;
  readonly #keyId: Uint8Array;
  #sodium: Sodium | null = null;
  #loading: Promise<void> | null = null;

  private constructor(key: Uint8Array) {
    this.#key = key;
    this.#keyId = keyIdOf(key);
  }

  /**
   * Refuses a key file that others may read, and one that is not the key this database was sealed with
   * (`master_key_missing`, `master_key_differs`).
   */
  static async open({ keyFile, store, preload = true }: VaultOptions): Promise<Vault> {
    const stored = await readMasterKey(keyFile);
    const known = store.get<{ id: string }>("select id from keys where retired_at is null")?.id ?? null;
    if (stored === null && known !== null) throw keyMissing(keyFile);
    const key = stored ?? randomBytes(MASTER_KEY_BYTES);
    if (stored === null) await createMasterKey(keyFile, key);
    const vault = new Vault(key);
    if (known !== null && known !== vault.keyId) throw keyDiffers(keyFile);
    if (known === null)
      store.run("insert into keys (id, created_at) values ($id, $now)", { id: vault.keyId, now: Date.now() });
    if (preload) await vault.ready();
    return vault;
  }

  /** Loads libsodium, once; at once when that was done. */
  ready(): Promise<void> {
    this.#loading ??= loadSodium().then(
      (sodium) => {
        this.#sodium = sodium;
      },
      (error) => {
        this.#loading = null;
        throw error;
      },
    );
    return this.#loading;
  }

  /** Names the key without telling anything about it. */
  get keyId(): string {
    return this.#keyId.toHex();
  }

  seal(plaintext: string | Uint8Array, context: SealContext): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const data = associatedData(this.#keyId, context);
    const bytes = typeof plaintext === "string" ? Buffer.from(plaintext) : plaintext;
    const cipher = this.#loaded().crypto_aead_xchacha20poly1305_ietf_encrypt(
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
    const sodium = this.#loaded();
    try {
      const data = associatedData(keyId, context);
      return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, cipher, data, nonce, this.#key);
    } catch (cause) {
      throw new DiploError("sealed_damaged", `sealed value of ${context.name} does not open`, {
        status: 500,
        detail: `The stored value of ${context.name} is damaged, or belongs to something else.`,
        hint: "Set it again, or restore the database from a backup.",
        cause,
      });
    }
  }

  /** A new secret as hexadecimal digits, two for each byte. */
  randomHex(bytes = 32): string {
    return this.#loaded().randombytes_buf(bytes, "hex");
  }

  #loaded(): Sodium {
    if (this.#sodium) return this.#sodium;
    throw new Error("the vault was used before it was ready");
  }
}

// Loaded when needed, not at import: the proxy and the CLI never need it.
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
