import { describe, expect, test } from "bun:test";
import type { BuildLine } from "../../../../src/engine/runtime/container-runtime.ts";
import { BuildOutput } from "../../../../src/engine/runtime/docker/build-output.ts";
import { decodeTrace } from "../../../../src/engine/runtime/docker/build-trace.ts";
import {
  protobufBytes,
  protobufFields,
  protobufVarint,
} from "../../../../src/engine/runtime/docker/protobuf.ts";

const text = (field: number, value: string) => protobufBytes(field, Buffer.from(value));
const time = (field: number, ms: number) =>
  protobufBytes(
    field,
    Buffer.concat([protobufVarint(1, Math.floor(ms / 1000)), protobufVarint(2, (ms % 1000) * 1e6)]),
  );

function vertex(facts: {
  digest: string;
  name: string;
  cached?: boolean;
  started?: number;
  completed?: number;
  error?: string;
}) {
  const fields = [text(1, facts.digest), text(3, facts.name)];
  if (facts.cached) fields.push(protobufVarint(4, 1));
  if (facts.started !== undefined) fields.push(time(5, facts.started));
  if (facts.completed !== undefined) fields.push(time(6, facts.completed));
  if (facts.error) fields.push(text(7, facts.error));
  return protobufBytes(1, Buffer.concat(fields));
}

function log(digest: string, stream: number, message: string | Uint8Array) {
  return protobufBytes(
    3,
    Buffer.concat([text(1, digest), protobufVarint(3, stream), protobufBytes(4, Buffer.from(message))]),
  );
}

const trace = (...parts: Uint8Array[]) => ({
  id: "moby.buildkit.trace",
  aux: Buffer.concat(parts).toString("base64"),
});

function collected() {
  const lines: BuildLine[] = [];
  return { lines, output: new BuildOutput((line) => lines.push(line)) };
}

const RUN = { digest: "sha256:r", name: "[2/2] RUN npm ci" };

describe("protobufFields", () => {
  test("ends at a message that was cut, without an error", () => {
    const whole = Buffer.concat([text(1, "abc"), protobufVarint(2, 300)]);
    for (let cut = 0; cut <= whole.length; cut++) [...protobufFields(whole.subarray(0, cut))];
    expect([...protobufFields(whole)].map(([field]) => field)).toEqual([1, 2]);
  });

  test("reads varints beyond 32 bits", () => {
    expect([...protobufFields(protobufVarint(7, 2 ** 45 + 5))]).toEqual([[7, 2 ** 45 + 5]]);
  });
});

test("decodeTrace reads vertexes and logs, with the signs BuildKit leaves out as defaults", () => {
  const bytes = Buffer.concat([
    vertex({ ...RUN, started: 1_500, completed: 2_750, error: "boom" }),
    log(RUN.digest, 2, "x\n"),
  ]);
  const found = decodeTrace(bytes.toString("base64"));
  expect(found.vertexes).toEqual([
    { ...RUN, cached: false, started: 1_500, completed: 2_750, error: "boom" },
  ]);
  expect(found.logs[0]).toMatchObject({ vertex: RUN.digest, stream: "stderr" });
});

describe("BuildOutput", () => {
  test("announces a step once, then its output, then its end with duration", () => {
    const { lines, output } = collected();
    output.take(trace(vertex({ ...RUN, started: 1_000 })));
    output.take(trace(vertex({ ...RUN, started: 1_000 }), log(RUN.digest, 1, "added 3 packages\n")));
    output.take(trace(vertex({ ...RUN, started: 1_000, completed: 3_500 })));
    expect(lines).toEqual([
      { vertex: RUN.name, stream: "step", text: RUN.name },
      { vertex: RUN.name, stream: "stdout", text: "added 3 packages" },
      {
        vertex: RUN.name,
        stream: "step",
        text: RUN.name,
        done: { cached: false, duration_ms: 2_500, error: null },
      },
    ]);
  });

  test("joins lines and characters over messages, shows the last state of a progress bar", () => {
    const { lines, output } = collected();
    const euro = Buffer.from("€");
    output.take(trace(vertex({ ...RUN, started: 1 })));
    output.take(trace(log(RUN.digest, 1, Buffer.concat([Buffer.from("half "), euro.subarray(0, 2)]))));
    output.take(
      trace(
        log(RUN.digest, 1, Buffer.concat([euro.subarray(2), Buffer.from(" whole\n10%\r50%\r100%\r\nlast")])),
      ),
    );
    output.take(trace(vertex({ ...RUN, started: 1, completed: 2 })));
    expect(lines.filter((line) => line.stream === "stdout").map((line) => line.text)).toEqual([
      "half € whole",
      "100%",
      "last",
    ]);
  });

  test("caps a line that never ends, whatever its number of pieces", () => {
    const { lines, output } = collected();
    output.take(trace(vertex({ ...RUN, started: 1 })));
    for (let piece = 0; piece < 50; piece++) output.take(trace(log(RUN.digest, 1, "x".repeat(10_000))));
    output.take(trace(log(RUN.digest, 1, "\nnext\n")));
    expect(lines.slice(1).map((line) => line.text.length)).toEqual([8_193, 4]);
  });

  test("remembers the failing step with its last 30 lines, and the image's id on success", () => {
    const { output } = collected();
    output.take(trace(vertex({ ...RUN, started: 1 })));
    output.take(
      trace(log(RUN.digest, 2, Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join(""))),
    );
    output.take(trace(vertex({ ...RUN, started: 1, completed: 2, error: "exit code: 1" })));
    output.take({ errorDetail: { message: "failed to solve" }, error: "failed to solve" });
    expect(output.error).toBe("failed to solve");
    expect(output.failed?.name).toBe(RUN.name);
    expect(output.failed?.tail.length).toBe(30);
    expect(output.failed?.tail.at(-1)).toBe("line 39");
    output.take({ id: "moby.image.id", aux: { ID: "sha256:1" } });
    expect(output.imageId).toBe("sha256:1");
  });

  test("reads the old builder's text: steps, output, failure", () => {
    const { lines, output } = collected();
    output.take({ stream: "Step 1/2 : FROM busybox\n" });
    output.take({ stream: " ---> abc\n" });
    output.take({ stream: "Step 2/2 : RUN false\n" });
    output.take({ stream: "oops\n" });
    output.take({ errorDetail: { code: 1, message: "The command returned a non-zero code: 1" } });
    expect(lines.map((line) => [line.vertex, line.stream, line.text])).toEqual([
      ["Step 1/2 : FROM busybox", "step", "Step 1/2 : FROM busybox"],
      ["Step 1/2 : FROM busybox", "stdout", " ---> abc"],
      ["Step 2/2 : RUN false", "step", "Step 2/2 : RUN false"],
      ["Step 2/2 : RUN false", "stdout", "oops"],
    ]);
    expect(output.failed).toEqual({
      name: "Step 2/2 : RUN false",
      error: "The command returned a non-zero code: 1",
      tail: ["oops"],
    });
  });
});
