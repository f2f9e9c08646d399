import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BuildLine, BuildRequest } from "../../src/engine/runtime/container-runtime.ts";
import type { DiploError } from "../../src/errors.ts";
import { eventually, runtimeBox } from "./runtime-box.ts";

setDefaultTimeout(120_000);
const { runtime, boxId } = await runtimeBox();

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

function tree(files: Record<string, string | Uint8Array>): string {
  const root = mkdtempSync(join(tmpdir(), "build-"));
  directories.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

async function build(
  context: string,
  dockerfile: BuildRequest["dockerfile"],
  changes: Partial<BuildRequest> = {},
  signal = new AbortController().signal,
) {
  const lines: BuildLine[] = [];
  const request: BuildRequest = {
    context,
    dockerfile,
    tag: `${boxId}/app:1`,
    labels: { "diplo.app": "blog" },
    args: {},
    target: null,
    secrets: {},
    registries: [],
    no_cache: false,
    deadline_ms: 60_000,
    ...changes,
  };
  const { image_id } = await runtime.build(request, (line) => lines.push(line), signal);
  // What the steps print, without the builders' own remarks.
  const printed = lines
    .filter(
      (line) => line.stream === "stdout" && !/^(-->|COMMIT |Successfully |[0-9a-f]{64}$)/.test(line.text),
    )
    .map((line) => line.text);
  const cached = (part: string) =>
    lines.some((line) => line.done?.cached === true && line.vertex?.includes(part));
  return { image_id, lines, printed, cached };
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error as DiploError,
  );

describe("build", () => {
  test("a generated Dockerfile builds the tree without being in it", async () => {
    const root = tree({ "a.txt": boxId, "sub/b.txt": "B", ".dockerignore": "secret*\n", "secret.key": "x" });
    symlinkSync("a.txt", join(root, "link"));
    symlinkSync("/etc/hostname", join(root, "outside"));
    const text =
      'FROM busybox:1.36\nCOPY . /app\nRUN cd /app && find . | sort && readlink link && readlink outside && cat sub/b.txt\nEXPOSE 3000\nVOLUME /data\nUSER 1000\nCMD ["serve"]\n';
    const { image_id, printed } = await build(root, { text });
    expect(printed.slice(0, 9)).toEqual([
      ".",
      "./.dockerignore",
      "./a.txt",
      "./link",
      "./outside",
      "./sub",
      "./sub/b.txt",
      "a.txt",
      "/etc/hostname",
    ]);
    const image = await runtime.image(`${boxId}/app:1`);
    expect(image).toMatchObject({
      id: image_id,
      exposed_ports: [3000],
      volumes: ["/data"],
      user: "1000",
      command: ["serve"],
    });
    expect(image?.labels).toMatchObject({ "diplo.box": boxId, "diplo.app": "blog" });
  });

  test("a Dockerfile of the tree's own, in a subdirectory, with target and arguments", async () => {
    const root = tree({
      "docker/app.Dockerfile":
        "FROM busybox:1.36 AS base\nARG WHO\nRUN echo hello $WHO\nFROM base AS other\nRUN echo not me\n",
      "docker/app.Dockerfile.dockerignore": "*.md\n",
    });
    const { printed } = await build(
      root,
      { path: "./docker/app.Dockerfile" },
      { target: "base", args: { WHO: `you & ${boxId}` } },
    );
    expect(printed[0]).toBe(`hello you & ${boxId}`);
    expect(printed).not.toContain("not me");
  });

  test("several ignore rules with an exception, wildcards, and a COPY through a link", async () => {
    const root = tree({
      ".dockerignore": "*.log\nnode_modules\nlogs/*\n!logs/keep.txt\ngrüße, welt\n",
      "a.log": "",
      "node_modules/x/i.js": "",
      "logs/drop.txt": "",
      "logs/keep.txt": boxId,
      "package.json": "{}",
      "package-lock.json": "{}",
      "real/deep/file": "found",
      "grüße, welt": "",
      "straße, 1/ü.txt": "umlaut",
    });
    symlinkSync("real/deep", join(root, "link"));
    const text =
      'FROM busybox:1.36\nCOPY package*.json /p/\nCOPY link/ /l/\nCOPY ["straße, 1/ü.txt", "/u"]\nCOPY . /app\nRUN ls /p /l; cat /l/file /u; cd /app && find . -type f | sort\n';
    const { printed } = await build(root, { text });
    expect(printed.join(" ")).toBe(
      "/l: file  /p: package-lock.json package.json foundumlaut./.dockerignore ./logs/keep.txt ./package-lock.json ./package.json ./real/deep/file ./straße, 1/ü.txt",
    );
  });

  test("a file of the same size and second, changed between two builds, is sent again", async () => {
    const root = tree({ value: `${boxId}1` });
    const text = "FROM busybox:1.36\nCOPY value /\nRUN cat /value; echo\n";
    await build(root, { text });
    writeFileSync(join(root, "value"), `${boxId}2`);
    expect((await build(root, { text })).printed[0]).toBe(`${boxId}2`);
  });

  test("a Dockerfile that .dockerignore leaves out still builds, and is not in the image", async () => {
    const root = tree({
      Dockerfile: `FROM busybox:1.36\nCOPY . /app\nRUN ls -A /app; echo ${boxId}\n`,
      ".dockerignore": "Dockerfile\n.dockerignore\n",
      a: "",
    });
    expect((await build(root, { path: "Dockerfile" })).printed.slice(0, 2)).toEqual(["a", boxId]);
  });

  test("steps are announced, timed, and cached the second time; a change reaches only what uses it", async () => {
    // Content that no earlier run has left in the cache.
    const root = tree({ "package.json": boxId, "index.js": "1" });
    const text = "FROM busybox:1.36\nCOPY package.json /\nRUN echo install\nCOPY . /app\nRUN echo compile\n";
    const first = await build(root, { text });
    const install = first.lines.filter((line) => line.vertex?.endsWith("RUN echo install"));
    expect(install.map((line) => line.stream)).toEqual(["step", "stdout", "step"]);
    writeFileSync(join(root, "index.js"), "2");
    const second = await build(root, { text });
    expect(second.cached("RUN echo install")).toBe(true);
    expect(second.cached("RUN echo compile")).toBe(false);
    expect((await build(root, { text })).image_id).toBe(second.image_id);
  });

  test("secrets are there while the step runs, and nowhere afterwards", async () => {
    const root = tree({});
    const secrets = { TOKEN: "pa$$ 'word\n", LARGE: "y".repeat(100_000) };
    const text =
      "FROM busybox:1.36\nRUN --mount=type=secret,id=TOKEN --mount=type=secret,id=LARGE cat /run/secrets/TOKEN | md5sum; wc -c < /run/secrets/LARGE\nRUN ls /run/secrets 2>&1 | wc -l\n";
    const { printed, lines } = await build(root, { text }, { secrets, registries: [], no_cache: true });
    expect(printed[0]).toContain(new Bun.CryptoHasher("md5").update(secrets.TOKEN).digest("hex"));
    expect(printed[1]).toBe("100000");
    expect(JSON.stringify(lines)).not.toContain("pa$$");
    const history = Bun.spawnSync([
      "/usr/bin/docker",
      "history",
      "--no-trunc",
      `${boxId}/app:1`,
    ]).stdout.toString();
    expect(history).not.toContain("pa$$");
  });

  test("many files and large ones arrive byte for byte", async () => {
    const files: Record<string, Uint8Array> = {};
    for (let index = 0; index < 300; index++)
      files[`d${index % 9}/f${index}`] = crypto.getRandomValues(new Uint8Array((index * 211) % 60_000));
    for (let index = 0; index < 6; index++)
      files[`large${index}`] = Buffer.concat(
        Array.from({ length: 60 }, () => crypto.getRandomValues(new Uint8Array(65_536))),
      );
    const sums = Object.keys(files)
      .sort()
      .map(
        (path) =>
          `${new Bun.CryptoHasher("md5").update(files[path] as Uint8Array).digest("hex")}  ./${path}\n`,
      );
    const text =
      "FROM busybox:1.36\nCOPY . /app\nRUN cd /app && find . -type f | sort | xargs md5sum | md5sum\n";
    const { printed } = await build(tree(files), { text });
    expect(printed[0]).toContain(new Bun.CryptoHasher("md5").update(sums.join("")).digest("hex"));
  });
});

describe("a build that fails", () => {
  const root = tree({});
  // Told from every other sleep on this machine.
  const LONG = `sleep ${9_000_000 + Math.floor(Math.random() * 900_000)}`;
  const text = (script: string) => ({ text: `FROM busybox:1.36\nRUN ${script}\n` });

  test("build_failed names the step and brings its last lines", async () => {
    const error = await failure(build(root, text("echo fine; echo broken >&2; exit 7")));
    expect(error?.code).toBe("build_failed");
    expect(error?.detail).toContain("exit code 7");
    // Two pipes: which one is read first is anybody's guess.
    expect(error?.evidence.toSorted()).toEqual(["broken", "fine"]);
  });

  test("build_failed for a Dockerfile that cannot be read, or misses a file", async () => {
    const broken = await failure(build(root, { text: "FROM busybox:1.36\nFOO bar\n" }));
    expect([broken?.code, broken?.evidence[0]?.includes("unknown instruction: FOO")]).toEqual([
      "build_failed",
      true,
    ]);
    expect((await failure(build(root, { text: "FROM busybox:1.36\nCOPY nothere /\n" })))?.code).toBe(
      "build_failed",
    );
    expect((await failure(build(root, { path: "Dockerfile" })))?.code).toBe("build_failed");
  });

  test("build_oom, disk_full, registry_unreachable", async () => {
    const killed = text("(sh -c 'kill -9 $$'; exit $?)");
    expect((await failure(build(root, killed)))?.code).toBe("build_oom");
    const full = text("echo 'write error: No space left on device' >&2; exit 1");
    expect((await failure(build(root, full)))?.code).toBe("disk_full");
    const missing = { text: `FROM ${boxId}.invalid/nosuch:1\n` };
    expect((await failure(build(root, missing)))?.code).toBe("registry_unreachable");
  });

  test("the deadline is build_timeout and stops the running step", async () => {
    const error = await failure(build(root, text(LONG), { deadline_ms: 3_000 }));
    expect(error?.code).toBe("build_timeout");
    expect(error?.detail).toContain(LONG);
    await stepGone(LONG);
  });

  test("aborting leaves at once and stops the running step", async () => {
    const leave = new AbortController();
    const building = failure(build(root, text(LONG), {}, leave.signal));
    await eventually(
      async () => runningSteps(LONG),
      (steps) => steps > 0,
    );
    leave.abort();
    expect((await building)?.name).toBe("AbortError");
    await stepGone(LONG);
  });

  const runningSteps = (command: string) =>
    Bun.spawnSync(["pgrep", "-fxc", command]).stdout.toString().trim() === "0" ? 0 : 1;
  const stepGone = (command: string) =>
    eventually(
      async () => runningSteps(command),
      (steps) => steps === 0,
    );
});

test("removeImage takes ours away and leaves the base image", async () => {
  await build(tree({}), { text: "FROM busybox:1.36\nRUN echo gone\n" }, { tag: `${boxId}/gone:1` });
  expect((await runtime.listImages()).some((image) => image.tags.includes(`${boxId}/gone:1`))).toBe(true);
  await runtime.removeImage(`${boxId}/gone:1`);
  await runtime.removeImage(`${boxId}/gone:1`);
  expect(await runtime.image(`${boxId}/gone:1`)).toBeNull();
  expect(await runtime.image("busybox:1.36")).not.toBeNull();
});
