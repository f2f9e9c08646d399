import type { Fields } from "./fields.ts";
import { joined } from "./fields.ts";

const NAMES = {
  range: "range",
  "if-match": "ifMatch",
  "if-range": "ifRange",
  "if-none-match": "ifNoneMatch",
  "accept-encoding": "acceptEncoding",
  "if-modified-since": "ifModifiedSince",
  "if-unmodified-since": "ifUnmodifiedSince",
} as const;
const LENGTHS = new Set(Object.keys(NAMES).map((name) => name.length));
const LETTERS = new Set(Object.keys(NAMES).map((name) => name.charCodeAt(0)));

/** What a request says of the form of the answer it wants. Reused; absent fields are empty. */
export class ConditionalFields {
  acceptEncoding = "";
  ifMatch = "";
  ifNoneMatch = "";
  ifModifiedSince = "";
  ifUnmodifiedSince = "";
  ifRange = "";
  range = "";
  /** Any of them but Accept-Encoding is there. */
  any = false;

  read(bytes: Buffer, fields: Fields): void {
    this.acceptEncoding = "";
    if (this.any) this.clear();
    for (let i = 0; i < fields.count; i++) {
      const start = fields.nameStart[i]!;
      if (!LENGTHS.has(fields.nameEnd[i]! - start) || !LETTERS.has(bytes[start]! | 0x20)) continue;
      const name = fields.name(bytes, i);
      if (!Object.hasOwn(NAMES, name)) continue;
      const key = NAMES[name as keyof typeof NAMES];
      this[key] = joined(this[key], fields.value(bytes, i));
      if (key !== "acceptEncoding") this.any = true;
    }
  }

  private clear(): void {
    this.ifMatch = this.ifNoneMatch = this.ifModifiedSince = this.ifUnmodifiedSince = "";
    this.ifRange = this.range = "";
    this.any = false;
  }
}
