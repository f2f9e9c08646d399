import { expect, test } from "bun:test";
import { Demux, type Frame } from "../../../../src/engine/runtime/docker/demux.ts";

function frame(stream: number, text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

const read = (frames: Iterable<Frame>) =>
  [...frames].map(({ stream, payload }) => [stream, Buffer.from(payload).toString()]);

const MESSAGE = Buffer.concat([frame(1, "one"), frame(2, "zwei"), frame(1, ""), frame(0, "null")]);
const FRAMES = [
  ["stdout", "one"],
  ["stderr", "zwei"],
  ["stdout", ""],
  ["stdout", "null"],
];

test("Demux yields every frame of a chunk", () => {
  expect(read(new Demux().push(MESSAGE))).toEqual(FRAMES as never);
});

test("Demux yields the same wherever the chunks are cut", () => {
  for (let size = 1; size < MESSAGE.length; size++) {
    const demux = new Demux();
    const found: unknown[] = [];
    for (let at = 0; at < MESSAGE.length; at += size)
      found.push(...read(demux.push(MESSAGE.subarray(at, at + size))));
    expect(found).toEqual(FRAMES);
  }
});

test("Demux is linear: 40,000 frames in small chunks, and one large frame byte by byte", () => {
  const many = Buffer.concat(Array.from({ length: 40_000 }, (_, index) => frame(1, `line ${index}`)));
  const demux = new Demux();
  const began = performance.now();
  let count = 0;
  for (let at = 0; at < many.length; at += 100)
    for (const _ of demux.push(many.subarray(at, at + 100))) count++;
  const large = frame(2, "x".repeat(200_000));
  for (let at = 0; at < large.length; at++) for (const _ of demux.push(large.subarray(at, at + 1))) count++;
  expect(count).toBe(40_001);
  expect(performance.now() - began).toBeLessThan(2_000);
});
