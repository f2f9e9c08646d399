import type { Fields } from "./fields.ts";

const MAX_DIGITS = 15;

/** The number that ASCII digits in `bytes[from..to)` spell; −1 for anything else, nothing, or more than 15 digits. */
export function readDigits(bytes: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > MAX_DIGITS) return -1;
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** The value of Content-Length, field `i`: digits only, small enough to count exactly; else −1 (RFC 9110 section 8.6). */
export function readLength(bytes: Uint8Array, fields: Fields, i: number): number {
  return readDigits(bytes, fields.valueStart[i]!, fields.valueEnd[i]!);
}
