import { DiploError, invalid } from "../errors.ts";

const KEPT_MS = 24 * 3600_000;
const MAX_KEPT = 1000;

interface Entry {
  fingerprint: string;
  at: number;
  answer: Promise<unknown>;
}

/**
 * `Idempotency-Key` (capabilities M1): the same key with the same request gets the first one's answer for 24 h, also
 * while that is still under way. Kept in memory: a restart of the daemon forgets the keys.
 */
export class Idempotency {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * `key` must hold who asks: nobody reads another's answers. Throws `idempotency_key_reused` (422) when the key came
   * with another request before. A fault of ours is not kept: the next try may fare better.
   */
  once(key: string, fingerprint: string, run: () => Promise<unknown>): Promise<unknown> {
    this.#forget();
    const known = this.#entries.get(key);
    if (known && known.fingerprint !== fingerprint)
      throw new DiploError("idempotency_key_reused", "key came with another request", {
        status: 422,
        detail: "This Idempotency-Key was used for another request.",
        hint: "Use a fresh key for each request, and the same one only to repeat it.",
      });
    if (known) return known.answer;
    const answer = run();
    this.#entries.set(key, { fingerprint, at: this.now(), answer });
    answer.catch((error) => {
      if (!(error instanceof DiploError) || error.status >= 500) this.#entries.delete(key);
    });
    return answer;
  }

  #forget(): void {
    for (const [key, { at }] of this.#entries) {
      if (this.now() - at < KEPT_MS && this.#entries.size <= MAX_KEPT) return;
      this.#entries.delete(key);
    }
  }
}

/** The request's key; null without one. Throws `invalid` for one that is no printable text of at most 255. */
export function idempotencyKey({ headers }: Request): string | null {
  const key = headers.get("idempotency-key");
  if (key === null || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalid("Idempotency-Key", "must be printable text without spaces, at most 255 characters");
}
