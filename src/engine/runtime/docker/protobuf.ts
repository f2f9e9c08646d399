export type ProtobufField = [number: number, value: number | Uint8Array];

/**
 * Walks the fields of one protobuf message (wire types varint and length-delimited, all that BuildKit's trace and
 * session need). Stops at anything else or at a message that was cut. Varints beyond 2^53 lose precision.
 */
export function* protobufFields(bytes: Uint8Array): Generator<ProtobufField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const value = varint();
    if (Number.isNaN(value)) return;
    if (key % 8 === 0) yield [Math.floor(key / 8), value];
    else if (key % 8 === 2 && at + value <= bytes.length) {
      yield [Math.floor(key / 8), bytes.subarray(at, at + value)];
      at += value;
    } else return;
  }
}

/** One length-delimited field. */
export function protobufBytes(field: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([encodeVarint(field * 8 + 2), encodeVarint(value.length), value]);
}

/** One varint field. */
export function protobufVarint(field: number, value: number | bigint): Uint8Array {
  return Buffer.concat([encodeVarint(field * 8), encodeVarint(value)]);
}

function encodeVarint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
