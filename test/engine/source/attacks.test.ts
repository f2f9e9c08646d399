import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDirectoryTree } from "../../../src/engine/build/directory-tree.ts";
import { DEFAULT_BUILD_OPTIONS, planTree } from "../../../src/engine/build/plan-build.ts";
import type { ArchiveLimits } from "../../../src/engine/source/archive.ts";
import { fetchSource } from "../../../src/engine/source/fetch-source.ts";
import { GitCache } from "../../../src/engine/source/git-cache.ts";
import { receiveUpload } from "../../../src/engine/source/receive-upload.ts";
import { unpackUpload } from "../../../src/engine/source/unpack-upload.ts";
import { type GitServer, serveRepositories } from "../../support/git-server.ts";

const signal = new AbortController().signal;
/** Everything happens in `home`; the rest of `root` is where attacks want to go. */
let root: string;
let home: string;
let server: GitServer;
let untouched: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diplo-attack-"));
  home = join(root, "home");
  await mkdir(join(root, "canary/.git/hooks"), { recursive: true });
  await mkdir(home);
  await writeFile(join(root, "canary/kept"), "kept");
  await writeFile(join(root, "canary/.git/config"), "[core]\n");
  server = await serveRepositories();
  untouched = await outside();
});
afterAll(async () => {
  expect(await outside()).toBe(untouched);
  await Promise.all([server.stop(), rm(root, { recursive: true, force: true })]);
}, 60_000);

/** Every path, mode, size and byte of what is not ours to touch. */
async function outside(): Promise<string> {
  const hash = createHash("sha256");
  const walk = async (directory: string) => {
    for (const name of (await readdir(directory)).sort()) {
      const path = join(directory, name);
      if (path === home) continue;
      const facts = await lstat(path);
      hash.update(`${path} ${facts.mode} ${facts.size} ${facts.mtimeMs}\n`);
      if (facts.isDirectory()) await walk(path);
      else hash.update(await readFile(path));
    }
  };
  await walk(root);
  return hash.digest("hex");
}

let places = 0;
const place = () => join(home, `place-${places++}`);

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "taken",
    (error) => error.code ?? error.message,
  );

/** Receives and unpacks, as a deployment does; answers where, so that one can look. */
async function sent(bytes: Uint8Array, limits?: ArchiveLimits): Promise<string> {
  const uploads = join(home, "uploads");
  const stream = new Response(bytes as BodyInit).body!;
  const { upload_id } = await receiveUpload(stream, { uploads, owner: "blog", signal, limits });
  const directory = place();
  await mkdir(directory);
  await unpackUpload(upload_id, { uploads, directory, signal });
  return directory;
}

/** One header and its content as ustar has it, whatever the name's bytes; typeflags of tar(5). */
function entry(name: Buffer | string, typeflag: string, content = "", link = ""): Buffer {
  const head = Buffer.alloc(512);
  Buffer.from(name as string).copy(head, 0, 0, 100);
  head.write("0000644\0", 100);
  head.write("0000000\0".repeat(2), 108);
  const bytes = Buffer.byteLength(content);
  head.write(`${bytes.toString(8).padStart(11, "0")}\0`, 124);
  head.write(`${"0".repeat(11)}\0`, 136);
  head.write("        ", 148);
  head.write(typeflag, 156);
  head.write(link, 157);
  head.write("ustar\x0000", 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(bytes / 512) * 512);
  body.write(content);
  return Buffer.concat([head, body]);
}

const tar = (...entries: Buffer[]): Uint8Array => Buffer.concat([...entries, Buffer.alloc(1024)]);

describe("an archive", () => {
  const FILE = "0";
  const HARD = "1";
  const SOFT = "2";
  const DIRECTORY = "5";

  test.each<[string, () => Uint8Array]>([
    ["..", () => tar(entry("../canary/kept", FILE, "x"))],
    [".. further in", () => tar(entry("a/b/../../../canary/kept", FILE, "x"))],
    ["an absolute path", () => tar(entry(join(root, "canary/kept"), FILE, "x"))],
    ["a link out", () => tar(entry("l", SOFT, "", "../canary"))],
    [
      "a link out through a directory that is one itself",
      () => tar(entry("d", SOFT, "", "."), entry("d/l", SOFT, "", "../../canary")),
    ],
    ["an absolute link", () => tar(entry("l", SOFT, "", join(root, "canary")))],
    ["a file through a link", () => tar(entry("l", SOFT, "", "."), entry("l/x", FILE, "x"))],
    ["a hard link out", () => tar(entry("l", HARD, "", "../canary/kept"))],
    ["a hard link to nothing", () => tar(entry("l", HARD, "", "none"))],
    ["a hard link to a link", () => tar(entry("l", SOFT, "", "kept"), entry("h", HARD, "", "l"))],
    ["a character device", () => tar(entry("d", "3"))],
    ["a block device", () => tar(entry("d", "4"))],
    ["a fifo", () => tar(entry("d", "6"))],
    ["a name twice", () => tar(entry("Dockerfile", FILE, "FROM a"), entry("./Dockerfile", FILE, "FROM b"))],
    ["a file that is a directory too", () => tar(entry("a", FILE, "x"), entry("a/b", FILE, "x"))],
    ["a link where a directory is", () => tar(entry("a/b", FILE, "x"), entry("a", SOFT, "", "."))],
    ["a name that is no UTF-8", () => tar(entry(Buffer.from([0x61, 0xff, 0xfe]), FILE, "x"))],
    [
      "a name longer than a file system takes",
      () => tar(entry(`${"n".repeat(99)}`, "L", `${"n".repeat(300)}\0`), entry("x", FILE, "x")),
    ],
    [
      "more files than it may have",
      () => tar(...Array.from({ length: 20 }, (_, i) => entry(`f${i}`, FILE, "x"))),
    ],
    ["more bytes than it may have", () => tar(entry("big", FILE, "x".repeat(2_000_000)))],
    ["a size that it does not have", () => tar(entry("cut", FILE, "x".repeat(2_000)).subarray(0, 1024))],
  ])("with %s is refused", async (_, make) => {
    const limits = { packed_bytes: 4e6, unpacked_bytes: 1e6, entries: 15, ratio: 100 };
    expect(await codeOf(sent(make(), limits))).toBe("archive_refused");
  });

  test("with names that are odd but names is taken, each as it is", async () => {
    const names = [
      "-rf",
      "--help",
      "new\nline",
      "a;touch x",
      "$(touch x)",
      "`x`",
      "Readme",
      "README",
      "sp ace",
      "\u{1f600}",
    ];
    const directory = await sent(tar(...names.map((name) => entry(name, FILE, name))));
    expect((await readdir(directory)).sort()).toEqual([...names].sort());
    for (const name of names) expect(await readFile(join(directory, name), "utf8")).toBe(name);
  });

  test("with links inside is taken, and they lead where they say", async () => {
    const directory = await sent(
      tar(entry("a/", DIRECTORY), entry("a/l", SOFT, "", "../kept"), entry("kept", FILE, "mine")),
    );
    expect(await readlink(join(directory, "a/l"))).toBe("../kept");
    expect(await readFile(join(directory, "a/l"), "utf8")).toBe("mine");
  });

  test("that unpacks to far more than it is, is refused before the disk is full", async () => {
    const bomb = Bun.gzipSync(tar(entry("zeros", FILE, "0".repeat(80_000_000))) as Uint8Array<ArrayBuffer>);
    expect(await codeOf(sent(bomb))).toBe("archive_refused");
    expect((await readdir(join(home, "uploads"))).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("with a Procfile that is none fails with its line, and never reaches a shell", async () => {
    for (const [procfile, code] of [
      ["web: x\n$(touch ../canary/kept): y", "procfile_invalid"],
      [`web: x\u0007`, "procfile_invalid"],
      [`${"x: y\n".repeat(20_000)}`, "procfile_invalid"],
    ] as const) {
      const directory = await sent(tar(entry("Procfile", FILE, procfile)));
      const tree = await openDirectoryTree(directory);
      expect(await codeOf(planTree(tree, DEFAULT_BUILD_OPTIONS))).toBe(code);
    }
  });
});

/** Bytes as git-fast-import(1) takes them. */
const data = (text: string): string => `data ${text.length}\n${text}\n`;

describe("a git repository", () => {
  const fetch = (repo_url: string, over: object = {}) => {
    const spec = {
      kind: "git",
      repo_url,
      branch: null,
      tag: null,
      commit: null,
      subdirectory: "",
      ...over,
    } as const;
    return fetchSource(spec, {
      directory: place(),
      cache: new GitCache(join(home, "cache")),
      credential: null,
      uploads: home,
      signal,
      deadlineMs: 60_000,
      onLine: () => undefined,
    });
  };

  /** A commit made of index lines, whatever git's own commands would say to such names. */
  async function plumbed(name: string, entries: [mode: string, content: string, path: string | Buffer][]) {
    await server.empty(name);
    const bare = server.path(name);
    const run = async (args: string[], input = Buffer.alloc(0)) => {
      const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
      const child = Bun.spawnSync(["git", `--git-dir=${bare}`, ...identity, ...args], { stdin: input });
      if (child.exitCode !== 0) throw new Error(child.stderr.toString());
      return child.stdout.toString().trim();
    };
    const lines: Buffer[] = [];
    for (const [mode, content, path] of entries) {
      const id = await run(["hash-object", "-w", "--stdin"], Buffer.from(content));
      lines.push(Buffer.from(`${mode} blob ${id}\t`), Buffer.from(path as string), Buffer.from([0]));
    }
    const tree = await run(["mktree", "-z"], Buffer.concat(lines));
    await run(["update-ref", "refs/heads/main", await run(["commit-tree", tree, "-m", "odd"])]);
    return server.url(name);
  }

  test("with odd names is checked out as it is, and planned", async () => {
    const names = ["-rf", "--upload-pack=x", "new\nline", "$(touch x)", "a\\b", "..."];
    const files = names.map((path): [string, string, string] => ["100644", path, path]);
    const url = await plumbed("odd", [...files, ["100644", "FROM x", "Dockerfile"]]);
    const { directory } = await fetch(url);
    expect((await readdir(directory)).sort()).toEqual([...names, "Dockerfile"].sort());
    const plan = await planTree(await openDirectoryTree(directory), DEFAULT_BUILD_OPTIONS);
    expect(plan.provider).toBe("dockerfile");
  });

  test("with names that are no UTF-8 is checked out", async () => {
    const url = await plumbed("bytes", [["100644", "x", Buffer.from([0x61, 0xff])]]);
    const { directory } = await fetch(url);
    expect(await readdir(directory, { encoding: "buffer" })).toEqual([Buffer.from([0x61, 0xff])] as never);
  });

  test("whose tree has .git, .. or a path in a name writes nowhere else", async () => {
    for (const [index, path] of [".git", "..", "../canary", "canary/../../x"].entries()) {
      const outcome = await plumbed(`evil-${index}`, [["100644", "x", path]]).then(
        (url) => codeOf(fetch(url)),
        () => "git makes no such tree",
      );
      expect(outcome).not.toBe("taken");
    }
  });

  test("whose links lead out is taken with its links, through which nothing is read or written", async () => {
    const url = await plumbed("links", [
      ["120000", join(root, "canary"), "abroad"],
      ["120000", "../canary/kept", "Procfile"],
      ["100644", "<h1>", "index.html"],
    ]);
    const { directory } = await fetch(url);
    const tree = await openDirectoryTree(directory);
    expect(await tree.read("Procfile")).toBeNull();
    expect(await tree.read("abroad/kept")).toBeNull();
    expect(await codeOf(fetch(url, { subdirectory: "abroad" }))).toBe("subdirectory_not_found");
  });

  test("of 10,000 files is checked out within its time", async () => {
    await server.empty("many");
    const files = Array.from(
      { length: 10_000 },
      (_, i) => `M 100644 inline d${i % 100}/f${i}\n${data(String(i))}`,
    );
    const commit = `commit refs/heads/main\ncommitter Ada <ada@example.org> 0 +0000\n${data("many")}`;
    const child = Bun.spawnSync(["git", "-C", server.path("many"), "fast-import", "--quiet"], {
      stdin: Buffer.from(commit + files.join("")),
    });
    expect(child.exitCode).toBe(0);
    const { directory } = await fetch(server.url("many"));
    expect(await readFile(join(directory, "d99/f9999"), "utf8")).toBe("9999");
    expect((await readdir(directory, { recursive: true })).length).toBe(10_100);
  }, 60_000);

  test.each<[string, { url(path: string): string }, string?]>([
    ["file://", { url: (path: string) => `file://${path}` }],
    ["a local path", { url: (path: string) => path }],
    ["ext::", { url: () => "ext::sh -c touch% x" }],
    ["a leading dash", { url: () => "-u./x" }],
    ["an option of ssh", { url: () => "ssh://-oProxyCommand=x/y" }],
    ["plain http elsewhere", { url: () => "http://192.0.2.1/x" }],
    ["a climb above the host", { url: () => "../../../../../../etc" }, "repo_not_found"],
  ])("with a submodule from %s is refused", async (label, { url }, code = "submodule_refused") => {
    const name = `module-${Bun.hash(label).toString(36)}`;
    const leaf = await server.commit("leaf", { a: "a" });
    const modules = `[submodule "lib"]\n\tpath = lib\n\turl = ${url(server.path("leaf"))}\n`;
    await plumbed(name, [["100644", modules, ".gitmodules"]]);
    const bare = server.path(name);
    const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
    const listing = await Bun.$`git -C ${bare} ls-tree main`.text();
    const made = Bun.spawnSync(["git", "-C", bare, "mktree"], {
      stdin: Buffer.from(`${listing}160000 commit ${leaf}\tlib\n`),
    });
    // mktree asks for each object, but links of mode 160000.
    const tree = made.stdout.toString().trim();
    const commit = (await Bun.$`git -C ${bare} ${identity} commit-tree ${tree} -m modules`.text()).trim();
    await Bun.$`git -C ${bare} update-ref refs/heads/main ${commit}`.quiet();
    expect(await codeOf(fetch(server.url(name)))).toBe(code);
  });
});
