import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { type Headers, pack } from "tar-stream";
import type { ArchiveLimits } from "../../../src/engine/source/archive.ts";
import { packDirectory } from "../../../src/engine/source/pack-directory.ts";
import { pruneUploads, receiveUpload } from "../../../src/engine/source/receive-upload.ts";
import { unpackUpload } from "../../../src/engine/source/unpack-upload.ts";

const MiB = 1024 * 1024;
const signal = new AbortController().signal;
let root: string;
let uploads: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diplo-upload-"));
  uploads = join(root, "uploads");
});
afterAll(() => rm(root, { recursive: true, force: true }), 60_000);

async function tree(name: string, files: Record<string, string>): Promise<string> {
  const directory = join(root, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}

function tarOf(entries: [Partial<Headers>, string?][]): ReadableStream<Uint8Array> {
  const archive = pack();
  for (const [headers, content] of entries)
    archive.entry({ name: "x", ...headers } as Headers, content ?? "");
  archive.finalize();
  return new Response(archive as unknown as BodyInit).body!;
}

function receive(stream: ReadableStream<Uint8Array>, limits?: ArchiveLimits) {
  return receiveUpload(stream, { uploads, owner: "blog", signal, limits });
}

let places = 0;
async function unpack(upload_id: string): Promise<string> {
  const directory = join(root, `place-${places++}`);
  await mkdir(directory);
  await unpackUpload(upload_id, { uploads, directory, signal });
  return directory;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "none",
    (error) => error.code ?? error.message,
  );
}

async function filesOf(directory: string): Promise<string[]> {
  return (
    await Array.fromAsync(new Bun.Glob("**/*").scan({ cwd: directory, dot: true, onlyFiles: false }))
  ).sort();
}

test("packDirectory, receiveUpload and unpackUpload bring the same tree, without what is ignored", async () => {
  const directory = await tree("app", {
    ".gitignore": "*.log\n/secret\n",
    ".dockerignore": "docs\nDockerfile\n",
    Dockerfile: "FROM x",
    "index.html": "<h1>",
    "run.sh": "#!/bin/sh",
    "a.log": "no",
    secret: "no",
    "docs/a.md": "no",
    "src/.gitignore": "!keep.log\n",
    "src/keep.log": "yes",
    "src/other.log": "no",
    ".git/config": "no",
    "node_modules/x/index.js": "no",
    "äöü name\n.txt": "odd",
    "-dash": "odd",
  });
  await chmod(join(directory, "run.sh"), 0o4750);
  await symlink("index.html", join(directory, "home.html"));
  await symlink("/etc/passwd", join(directory, "out"));
  await symlink("../../x", join(directory, "src/out"));
  const facts = await receive(packDirectory(directory));
  expect(await facts.tree.read("Dockerfile")).toBe("FROM x");
  const place = await unpack(facts.upload_id);
  expect(await filesOf(place)).toEqual(
    [
      "-dash",
      ".dockerignore",
      ".gitignore",
      "Dockerfile",
      "home.html",
      "index.html",
      "run.sh",
      "src",
      "src/.gitignore",
      "src/keep.log",
      "äöü name\n.txt",
    ].sort(),
  );
  expect(await readlink(join(place, "home.html"))).toBe("index.html");
  expect((await stat(join(place, "run.sh"))).mode & 0o7777).toBe(0o755);
});

test("packDirectory gives the same bytes for the same files", async () => {
  const sum = async (name: string) => {
    const directory = await tree(name, { b: "b", a: "a", "d/c": "c" });
    return (await receive(packDirectory(directory))).sha256;
  };
  expect(await sum("same-1")).toBe(await sum("same-2"));
});

test("receiveUpload takes tar.gz and shows its tree", async () => {
  const stream = packDirectory(join(import.meta.dir, "../../fixtures/static-plain"));
  const facts = await receive(stream.pipeThrough(new CompressionStream("gzip") as never));
  expect(await facts.tree.has("index.html")).toBe(true);
  expect(await filesOf(await unpack(facts.upload_id))).toContain("about/index.html");
});

const ATTACKS: [string, [Partial<Headers>, string?][]][] = [
  ["a path with ..", [[{ name: "../escape" }, "x"]]],
  ["a path with .. inside", [[{ name: "a/../../escape" }, "x"]]],
  ["an absolute path", [[{ name: "/tmp/diplo-escape" }, "x"]]],
  ["a link out", [[{ name: "l", type: "symlink", linkname: "../x" }]]],
  ["an absolute link", [[{ name: "l", type: "symlink", linkname: "/etc" }]]],
  ["a link that climbs inside", [[{ name: "l", type: "symlink", linkname: "a/../../../etc" }]]],
  ["a hard link out", [[{ name: "l", type: "link", linkname: "../../etc/passwd" }]]],
  ["a device", [[{ name: "d", type: "character-device" }]]],
  ["a fifo", [[{ name: "f", type: "fifo" }]]],
];

test.each(ATTACKS)("receiveUpload refuses %s and keeps nothing", async (_, entries) => {
  const before = await readdir(uploads).catch(() => []);
  expect(await codeOf(receive(tarOf(entries)))).toBe("archive_refused");
  expect(await readdir(uploads)).toEqual(before);
});

test("unpackUpload never writes through a link", async () => {
  const outside = await tree("outside", { kept: "kept" });
  const entries: [Partial<Headers>, string?][] = [
    [{ name: "here", type: "symlink", linkname: "." }],
    [{ name: "here/kept" }, "overwritten"],
  ];
  const { upload_id } = await receive(tarOf(entries));
  expect(await codeOf(unpack(upload_id))).toBe("archive_refused");
  expect(await Bun.file(join(outside, "kept")).text()).toBe("kept");
});

test("receiveUpload holds its limits: bytes, entries, unpacked bytes, ratio", async () => {
  const limits = { packed_bytes: 1 * MiB, unpacked_bytes: 4 * MiB, entries: 50, ratio: 100 };
  const many: [Partial<Headers>, string?][] = Array.from({ length: 51 }, (_, i) => [{ name: `f${i}` }, ""]);
  expect(await codeOf(receive(tarOf(many), limits))).toBe("archive_refused");
  expect(await codeOf(receive(tarOf([[{ name: "big" }, "x".repeat(2 * MiB)]]), limits))).toBe(
    "upload_too_large",
  );
  const gzip = () => new CompressionStream("gzip") as never;
  const bomb = tarOf([[{ name: "bomb" }, "x".repeat(5 * MiB)]]).pipeThrough(gzip());
  expect(await codeOf(receive(bomb as never, limits))).toBe("archive_refused");
  const ratio = tarOf([[{ name: "zeros" }, "0".repeat(70 * MiB)]]).pipeThrough(gzip());
  expect(await codeOf(receive(ratio as never))).toBe("archive_refused");
});

test("receiveUpload refuses what is no archive, is cut short, or is damaged", async () => {
  const body = (bytes: Uint8Array | string) => new Response(bytes as BodyInit).body!;
  expect(await codeOf(receive(body("hello")))).toBe("archive_refused");
  expect(await codeOf(receive(body("PK\u0003\u0004 no zip")))).toBe("archive_refused");
  const whole = new Uint8Array(await new Response(tarOf([[{ name: "a" }, "x".repeat(5000)]])).arrayBuffer());
  expect(await codeOf(receive(body(whole.slice(0, 3000))))).toBe("archive_refused");
  const packed = Bun.gzipSync(whole);
  expect(await codeOf(receive(body(packed.slice(0, packed.length - 20))))).toBe("archive_refused");
});

/** Zips as Python's own library writes them: names, modes and contents as they come. */
async function zipOf(
  entries: [name: string, mode: number, content: string][],
): Promise<ReadableStream<Uint8Array>> {
  const script = `import json, sys, zipfile
with zipfile.ZipFile(sys.stdout.buffer, "w", zipfile.ZIP_DEFLATED) as z:
    for name, mode, content in json.loads(sys.argv[1]):
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        z.writestr(info, content * (2000000 if name == "bomb" else 1))
`;
  const { stdout } = Bun.spawnSync(["python3", "-c", script, JSON.stringify(entries)]);
  return new Response(new Uint8Array(stdout)).body!;
}

test("receiveUpload takes a zip with links, modes and odd names", async () => {
  const facts = await receive(
    await zipOf([
      ["index.html", 0o100644, "<h1>"],
      ["bin/run", 0o104755, "#!/bin/sh"],
      ["empty/", 0o040755, ""],
      ["home", 0o120777, "index.html"],
      ["ünïcode.txt", 0, "ü"],
    ]),
  );
  expect(await facts.tree.has("index.html")).toBe(true);
  const place = await unpack(facts.upload_id);
  expect(await filesOf(place)).toEqual(
    ["bin", "bin/run", "empty", "home", "index.html", "ünïcode.txt"].sort(),
  );
  expect((await stat(join(place, "bin/run"))).mode & 0o7777).toBe(0o755);
  expect(await readlink(join(place, "home"))).toBe("index.html");
});

test.each<[string, [string, number, string][]]>([
  ["..", [["../x", 0o100644, "x"]]],
  ["an absolute path", [["/tmp/x", 0o100644, "x"]]],
  ["a backslash path", [["..\\x", 0o100644, "x"]]],
  ["a link out", [["l", 0o120777, "../x"]]],
  ["an absolute link", [["l", 0o120777, "/etc"]]],
  ["a device", [["d", 0o020644, ""]]],
  ["a bomb", [["bomb", 0o100644, "x".repeat(60)]]],
])("receiveUpload refuses a zip with %s", async (_, entries) => {
  expect(await codeOf(receive(await zipOf(entries)))).toBe("archive_refused");
});

test("receiveUpload of 10,000 files works", async () => {
  const entries = (count: number): [Partial<Headers>, string?][] =>
    Array.from({ length: count }, (_, i) => [{ name: `d${i % 100}/f${i}` }, "x"]);
  const facts = await receive(tarOf(entries(10_000)));
  expect((await filesOf(await unpack(facts.upload_id))).length).toBe(10_100);
}, 60_000);

test("unpackUpload refuses an unknown upload and a name that is a path", async () => {
  expect(await codeOf(unpack("01ARZ3NDEKTSV4RRFFQ69G5FAV"))).toBe("upload_not_found");
  expect(await codeOf(unpack("../../etc/passwd"))).toBe("upload_not_found");
});

test("pruneUploads removes old uploads only", async () => {
  const { upload_id } = await receive(tarOf([[{ name: "a" }, "a"]]));
  await pruneUploads(uploads, 60_000);
  expect(await readdir(uploads)).toContain(upload_id);
  await pruneUploads(uploads, -1);
  expect(await readdir(uploads)).toEqual([]);
});

test("receiveUpload of 400 MB keeps memory flat", async () => {
  const directory = await tree("giant", { big: "" });
  await truncate(join(directory, "big"), 400 * MiB);
  const child = spawn("tar", ["-c", "-C", directory, "big"], { stdio: ["ignore", "pipe", "ignore"] });
  const limits = { packed_bytes: 500 * MiB, unpacked_bytes: 500 * MiB, entries: 10, ratio: 100 };
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const facts = await receive(Readable.toWeb(child.stdout) as never, limits);
  clearInterval(watch);
  expect(facts.size_bytes).toBeGreaterThan(400 * MiB);
  expect(peak - before).toBeLessThan(200 * MiB);
}, 60_000);
