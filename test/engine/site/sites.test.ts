import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { directorySource } from "../../../src/engine/site/directory-source.ts";
import type { SiteSource } from "../../../src/engine/site/site-source.ts";
import { Sites } from "../../../src/engine/site/sites.ts";
import { tarSource } from "../../../src/engine/site/tar-source.ts";

const OPTIONS = { index: "index.html", spa: false, error_page: null, headers: {}, cache_control: null };
const signal = new AbortController().signal;

let root: string;
let sites: Sites;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "dsite-"));
  await mkdir(join(root, "sites"));
  sites = new Sites(join(root, "sites"));
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function tree(files: Record<string, string | Uint8Array>): Promise<string> {
  const directory = join(root, "tree");
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
  return directory;
}

async function write(id: string, source: SiteSource, like: string | null = null) {
  return sites.write(id, { source, options: OPTIONS, modifiedAt: 1000 }, { signal, like });
}

const blob = (id: string, name: string) => readFile(join(root, "sites", id, name));

test("Sites.write keeps every file under its hash, with variants that unpack to it", async () => {
  const text = "<p>Hello, world</p>\n".repeat(200);
  const { manifest, warnings } = await write(
    "one",
    directorySource(
      await tree({ "index.html": text, "deep/down/ä b.css": text, "small.txt": "x", "a.png": text }),
    ),
  );
  expect(warnings).toEqual([]);
  expect(Object.keys(manifest.files)).toEqual(["/a.png", "/deep/down/ä b.css", "/index.html", "/small.txt"]);
  const page = manifest.files["/index.html"]!;
  expect(page).toMatchObject({ size: text.length, type: "text/html;charset=utf-8", modified_at: 1000 });
  expect((await blob("one", page.sha256)).toString()).toBe(text);
  for (const [suffix, size, unpack] of [
    [".br", page.variants.br, brotliDecompressSync],
    [".gz", page.variants.gzip, gunzipSync],
    [".zst", page.variants.zstd, Bun.zstdDecompressSync],
  ] as const) {
    const packed = await blob("one", page.sha256 + suffix);
    expect(packed.length).toBe(size as number);
    expect(Buffer.from(unpack(packed)).toString()).toBe(text);
  }
  // One content, one file, whatever it is named.
  expect(manifest.files["/deep/down/ä b.css"]?.sha256).toBe(page.sha256);
  expect(manifest.files["/small.txt"]?.variants).toEqual({});
  expect((await readdir(join(root, "sites"))).sort()).toEqual(["one"]);
  expect(await sites.manifest("one")).toEqual(manifest);
  expect(await sites.fault("one")).toBeNull();
});

test("Sites.write keeps no variant that saves less than a twentieth", async () => {
  const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(20_000)));
  const { manifest } = await write("one", directorySource(await tree({ "index.html": noise })));
  expect(manifest.files["/index.html"]?.variants).toEqual({});
  expect((await readdir(join(root, "sites/one"))).length).toBe(2);
});

test("Sites.write lets the proxy's group read and nobody else, whatever the umask", async () => {
  const before = process.umask(0o077);
  try {
    await write("one", directorySource(await tree({ "index.html": "x".repeat(2000) })));
  } finally {
    process.umask(before);
  }
  const mode = async (path: string) => ((await stat(join(root, "sites/one", path))).mode & 0o777).toString(8);
  expect(await mode(".")).toBe("750");
  for (const name of await readdir(join(root, "sites/one"))) expect(await mode(name)).toBe("640");
});

test("Sites.write gives everything to the group of the directory that holds sites", async () => {
  const group =
    process.getgroups?.().find((each) => each !== process.getgid?.()) ??
    (process.getuid?.() === 0 ? 1 : null);
  if (group === null) return;
  await chown(join(root, "sites"), -1, group);
  await write("one", directorySource(await tree({ "index.html": "x".repeat(2000) })));
  const gidOf = async (path: string) => (await stat(join(root, "sites/one", path))).gid;
  for (const name of [".", ...(await readdir(join(root, "sites/one")))])
    expect(await gidOf(name)).toBe(group);
});

test("Sites.write serves no hidden file but .well-known, and not the rules themselves", async () => {
  const source = directorySource(
    await tree({
      "index.html": "a",
      ".env": "SECRET=1",
      ".git/config": "b",
      "sub/.htpasswd": "c",
      ".well-known/security.txt": "d",
      _headers: "/*\n  X-A: 1\n",
      _redirects: "/a /b\nbroken\n",
    }),
  );
  const { manifest, warnings } = await write("one", source);
  expect(Object.keys(manifest.files)).toEqual(["/.well-known/security.txt", "/index.html"]);
  expect(manifest.headers).toEqual([{ path: "/*", set: [["X-A", "1"]], remove: [] }]);
  expect(manifest.redirects.length).toBe(1);
  expect(warnings).toEqual(["_redirects line 2: a path starts with /"]);
});

test("Sites.write follows links inside the site, and none that leads out", async () => {
  const directory = await tree({ "index.html": "page", "docs/a.html": "doc", ".env": "SECRET" });
  await writeFile(join(root, "outside.txt"), "outside");
  for (const [path, target] of [
    ["latest.html", "index.html"],
    ["again.html", "latest.html"],
    ["manual", "docs"],
    ["docs/up.html", "../index.html"],
    ["docs/self", "."],
    ["absolute.html", "/etc/passwd"],
    ["climb.html", "../outside.txt"],
    ["secret.html", ".env"],
    ["lost.html", "nowhere"],
    ["loop-a", "loop-b"],
    ["loop-b", "loop-a"],
  ] as const)
    await symlink(target, join(directory, path));
  const { manifest, warnings } = await write("one", directorySource(directory));
  expect(Object.keys(manifest.files)).toEqual([
    "/again.html",
    "/docs/a.html",
    "/docs/up.html",
    "/index.html",
    "/latest.html",
    "/manual/a.html",
    "/manual/up.html",
  ]);
  expect(manifest.files["/again.html"]?.sha256).toBe(manifest.files["/index.html"]!.sha256);
  expect(warnings.map((warning) => warning.split(" ")[0]).sort()).toEqual([
    "absolute.html",
    "climb.html",
    "docs/self",
    "loop-a",
    "loop-b",
    "lost.html",
    "secret.html",
  ]);
});

test("Sites.write finds a whole site written, and begins half a one anew", async () => {
  const directory = await tree({ "index.html": "first" });
  await mkdir(join(root, "sites/one.new"));
  await writeFile(join(root, "sites/one.new/incoming"), "half");
  const { manifest } = await write("one", directorySource(directory));
  await writeFile(join(directory, "index.html"), "second");
  expect((await write("one", directorySource(directory))).manifest).toEqual(manifest);
  expect(await readdir(join(root, "sites"))).toEqual(["one"]);
});

test("Sites.write takes variants over from the site before it", async () => {
  const text = "x".repeat(5000);
  const directory = await tree({ "index.html": text, "new.html": "old" });
  const first = await write("one", directorySource(directory));
  await writeFile(join(directory, "new.html"), `${text}!`);
  const second = await write("two", directorySource(directory), "one");
  const { sha256 } = first.manifest.files["/index.html"]!;
  const inode = async (id: string) => (await stat(join(root, "sites", id, `${sha256}.br`))).ino;
  expect(await inode("two")).toBe(await inode("one"));
  expect(second.manifest.files["/new.html"]?.variants.br).toBeGreaterThan(0);
  await sites.remove("one");
  expect(await sites.fault("two")).toBeNull();
});

test("Sites.write compresses itself what the site before it has lost", async () => {
  const directory = await tree({ "index.html": "x".repeat(5000) });
  const { manifest } = await write("one", directorySource(directory));
  await rm(join(root, "sites/one", `${manifest.files["/index.html"]?.sha256}.gz`));
  await write("two", directorySource(directory), "one");
  expect(await sites.fault("two")).toBeNull();
});

test("Sites.write leaves nothing behind when its source fails", async () => {
  async function* bytes() {
    yield Buffer.from("a");
  }
  const failing: SiteSource = async (take) => {
    await take({ type: "file", path: "a.html", content: bytes() });
    throw new Error("cut");
  };
  await expect(write("one", failing)).rejects.toThrow("cut");
  expect(await readdir(join(root, "sites"))).toEqual([]);
});

test("Sites.write refuses a site without files, and says where to look", async () => {
  await expect(write("one", directorySource(await tree({ ".env": "" })))).rejects.toMatchObject({
    code: "site_empty",
    hint: expect.stringContaining("static.root"),
  });
});

test("Sites.write says what to do when it may not write", async () => {
  if (process.getuid?.() === 0) return;
  await chmod(join(root, "sites"), 0o500);
  await expect(write("one", directorySource(await tree({ "a.html": "" })))).rejects.toMatchObject({
    code: "sites_unwritable",
  });
});

test("Sites.fault tells a missing manifest, a missing file and one cut short; replace mends them", async () => {
  const directory = await tree({ "index.html": "x".repeat(5000) });
  const { manifest } = await write("one", directorySource(directory));
  const { sha256 } = manifest.files["/index.html"]!;
  await truncate(join(root, "sites/one", sha256), 10);
  expect(await sites.fault("one")).toBe("1 of its 4 files are missing or cut short");
  await rm(join(root, "sites/one", `${sha256}.br`));
  expect(await sites.fault("one")).toBe("2 of its 4 files are missing or cut short");
  await sites.write(
    "one",
    { source: directorySource(directory), options: OPTIONS, modifiedAt: 1000 },
    { signal, replace: true },
  );
  expect(await sites.fault("one")).toBeNull();
  await rm(join(root, "sites/one/manifest.json"));
  expect(await sites.fault("one")).toBe("its manifest is missing");
  expect(await sites.fault("none")).toBe("its manifest is missing");
  for (const damaged of ["{}", "null", "[]", '{"files":{"/a":null}}', '{"files":{"/a":{}}}']) {
    await writeFile(join(root, "sites/one/manifest.json"), damaged);
    expect(await sites.fault("one")).toBe("its manifest is damaged");
  }
});

test("Sites.version changes when a file goes", async () => {
  const { manifest } = await write("one", directorySource(await tree({ "index.html": "x" })));
  const before = await sites.version("one");
  await Bun.sleep(5);
  await rm(join(root, "sites/one", manifest.files["/index.html"]!.sha256));
  expect(await sites.version("one")).not.toBe(before);
  await sites.remove("one");
  expect(await sites.version("one")).toBeNull();
});

test("Sites takes no name that could be a path", async () => {
  for (const id of ["..", "a/b", "", "A", "manifest.json"])
    expect(sites.remove(id)).rejects.toThrow("is no site");
  expect(await sites.list()).toEqual([]);
});

async function tar(
  entries: Parameters<ReturnType<typeof pack>["entry"]>[0][],
  content = "content",
): Promise<Buffer> {
  const packing = pack();
  for (const entry of entries)
    packing.entry(entry, entry.type === undefined || entry.type === "file" ? content : undefined);
  packing.finalize();
  return Buffer.concat(await Array.fromAsync(packing as unknown as AsyncIterable<Buffer>));
}

test("tarSource reads what an engine streams, below its top directory", async () => {
  const { manifest, warnings } = await write(
    "one",
    tarSource(
      Readable.from([
        await tar([
          { name: "site/", type: "directory" },
          { name: "site/index.html" },
          { name: "site/a/b.css" },
          { name: "site/c.css", type: "link", linkname: "site/a/b.css" },
          { name: "site/a/d.css", type: "link", linkname: "site/index.html" },
          { name: "site/e.css", type: "symlink", linkname: "a/b.css" },
          { name: "site/out.css", type: "symlink", linkname: "../../etc/passwd" },
          { name: "site/device", type: "character-device" },
        ]),
      ]),
    ),
  );
  expect(Object.keys(manifest.files)).toEqual(["/a/b.css", "/a/d.css", "/c.css", "/e.css", "/index.html"]);
  expect(warnings).toEqual([
    "out.css is a link to ../../etc/passwd, which is no file of the site; it is not served",
    "device is no file; it is not served",
  ]);
});

test("tarSource refuses a path that leads out", async () => {
  await expect(
    write("one", tarSource(Readable.from([await tar([{ name: "site/../../evil" }])]))),
  ).rejects.toMatchObject({
    code: "archive_refused",
  });
  expect(await readdir(join(root, "sites"))).toEqual([]);
});

test.each([
  ["before it is read", 0],
  ["while it is read", 50],
])("tarSource notices a stream that is cut %s", async (_when, afterMs) => {
  const cut = new PassThrough();
  cut.on("error", () => {});
  cut.write((await tar([{ name: "site/index.html" }], "x".repeat(100_000))).subarray(0, 40_000));
  setTimeout(() => cut.destroy(new Error("the engine is gone")), afterMs);
  await expect(write("one", tarSource(cut))).rejects.toThrow();
  expect(await readdir(join(root, "sites"))).toEqual([]);
});
