/** Up to here a loop beats a call into the runtime. A view of the source would cost more than either. */
const SHORT = 32;
const ZERO = 0x30;
/** Of the largest number there is without a fraction. */
const MAX_DIGITS = 16;

/** Bytes gathered for one write to a socket. Reused: `view()` is valid until the next `reset()`. */
export class ByteWriter {
  length = 0;
  private bytes: Buffer;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  reset(): void {
    this.length = 0;
  }

  /** Appends text whose characters are all below U+0100. */
  text(text: string): void {
    const { length } = text;
    this.reserve(length);
    if (length <= SHORT)
      for (let i = 0, at = this.length; i < length; i++) this.bytes[at++] = text.charCodeAt(i);
    else this.bytes.write(text, this.length, "latin1");
    this.length += length;
  }

  /** Appends a whole number, not negative, in decimal digits; zeros before it up to `digits`. */
  number(value: number, digits = 1): void {
    this.reserve(MAX_DIGITS);
    let unit = 10 ** (digits - 1);
    while (value >= unit * 10) unit *= 10;
    for (let rest = value; unit >= 1; unit /= 10) {
      const digit = Math.floor(rest / unit);
      this.bytes[this.length++] = ZERO + digit;
      rest -= digit * unit;
    }
  }

  copy(source: Buffer, from: number, to: number): void {
    if (to <= from) return;
    this.reserve(to - from);
    if (to - from <= SHORT) for (let i = from, at = this.length; i < to; i++) this.bytes[at++] = source[i]!;
    else source.copy(this.bytes, this.length, from, to);
    this.length += to - from;
  }

  /** Appends all of `source`: cheaper than the same as text. */
  add(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** The space itself; its first `length` bytes count. For a write that needs no view. */
  get buffer(): Buffer {
    return this.bytes;
  }

  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  /** A copy that outlives the next `reset()`. */
  take(): Buffer {
    return Buffer.copyBytesFrom(this.bytes, 0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + more));
    larger.set(this.view());
    this.bytes = larger;
  }
}
