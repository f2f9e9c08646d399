import { randomBytes } from "node:crypto";

const RANDOM_DIGITS = 20;
const COUNTED_DIGITS = 12;
const [ZERO, NINE, A, F] = [0x30, 0x39, 0x61, 0x66];

/**
 * Names for requests, 32 hexadecimal digits: random for this process, then counted. The digits count themselves: making
 * a number into text for each request would cost as much as parsing it.
 */
export class RequestIds {
  private readonly digits = Buffer.from(
    randomBytes(RANDOM_DIGITS / 2).toString("hex") + "0".repeat(COUNTED_DIGITS),
  );

  /** The next one in ASCII; the same bytes change with the next call. */
  next(): Buffer {
    const { digits } = this;
    for (let at = digits.length - 1; at >= RANDOM_DIGITS; at--) {
      const digit = digits[at]!;
      digits[at] = digit === F ? ZERO : digit === NINE ? A : digit + 1;
      if (digit !== F) break;
    }
    return digits;
  }
}
