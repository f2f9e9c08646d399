import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDirectoryTree } from "../../../src/engine/build/directory-tree.ts";
import { memoryTree } from "../../../src/engine/build/memory-tree.ts";
import { above, MAX_READ_BYTES, readJson, type SourceTree, subtree } from "../../../src/engine/build/tree.ts";

let root: string;
const trees: Record<string, SourceTree> = {};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "diplo-tree-"));
  await mkdir(join(root, "app/src"), { recursive: true });
  await writeFile(join(root, "outside"), "outside");
  await writeFile(join(root, "app/b.json"), '{"x":1}');
  await writeFile(join(root, "app/src/a.txt"), "deep");
  trees.directory = await openDirectoryTree(join(root, "app"));
  trees.memory = memoryTree({ "b.json": '{"x":1}', "src/a.txt": "deep" });
  trees.subtree = subtree(memoryTree({ "in/b.json": '{"x":1}', "in/src/a.txt": "deep", out: "x" }), "in");
});
afterAll(() => rm(root, { recursive: true, force: true }));

test.each(["directory", "memory", "subtree"])(
  "the %s tree reads, has and lists inside its root only",
  async (kind) => {
    const tree = trees[kind]!;
    expect(await tree.read("src/a.txt")).toBe("deep");
    expect(await tree.read("./src//a.txt")).toBe("deep");
    expect(await tree.read("src")).toBeNull();
    expect(await tree.read("none")).toBeNull();
    expect(await tree.has("src")).toBe(true);
    expect(await tree.has("none")).toBe(false);
    expect(await tree.list("")).toEqual([
      { name: "b.json", directory: false },
      { name: "src", directory: true },
    ]);
    expect(await tree.list("none")).toEqual([]);
    expect(await readJson(tree, "b.json")).toEqual({ x: 1 });
    for (const path of ["../outside", "../out", "src/../../outside", "/etc/passwd", "a\0b"]) {
      expect(await tree.read(path)).toBeNull();
      expect(await tree.has(path)).toBe(false);
      expect(await tree.list(path)).toEqual([]);
    }
  },
);

test("openDirectoryTree follows links inside and none that lead out, and reads no device or giant", async () => {
  const app = join(root, "app");
  await symlink("src/a.txt", join(app, "link"));
  await symlink("../outside", join(app, "escape"));
  await symlink("/dev/zero", join(app, "zero"));
  await symlink("loop", join(app, "loop"));
  await writeFile(join(app, "giant"), Buffer.alloc(MAX_READ_BYTES + 1));
  const tree = trees.directory!;
  expect(await tree.read("link")).toBe("deep");
  for (const path of ["escape", "zero", "loop", "giant"]) expect(await tree.read(path)).toBeNull();
});

test.each([
  ["directory", () => openDirectoryTree(root, "app/src")],
  [
    "memory",
    async () => subtree(subtree(memoryTree({ "app/src/a.txt": "deep", outside: "outside" }), "app"), "src"),
  ],
])(
  "SourceTree.root of a %s tree is the whole repository, which the tree itself never leaves",
  async (_, open) => {
    const tree = await open();
    expect(tree.subdirectory).toBe("app/src");
    expect(await tree.read("a.txt")).toBe("deep");
    expect(await tree.read("../../outside")).toBeNull();
    expect(await tree.root.read("outside")).toBe("outside");
    expect(await tree.root.read("app/src/a.txt")).toBe("deep");
    expect(tree.root.root).toBe(tree.root);
    expect(tree.root.subdirectory).toBe("");
    expect(above(tree.subdirectory)).toEqual(["app", ""]);
    expect(above(tree.root.subdirectory)).toEqual([]);
  },
);

test("openDirectoryTree reads no link from an app to the rest of its repository", async () => {
  await symlink("../../outside", join(root, "app/src/up"));
  expect(await (await openDirectoryTree(root, "app/src")).read("up")).toBeNull();
  expect(await (await openDirectoryTree(root)).read("app/src/up")).toBe("outside");
});

test("openDirectoryTree reads text as Windows writes it: a byte order mark is no part of it, UTF-16 is text", async () => {
  const app = join(root, "app");
  await writeFile(join(app, "utf8"), "\uFEFFflask");
  await writeFile(join(app, "utf16le"), Buffer.from("\uFEFFflask\r\n", "utf16le"));
  await writeFile(join(app, "utf16be"), Buffer.from("\uFEFFflask", "utf16le").swap16());
  const tree = trees.directory!;
  expect(await tree.read("utf8")).toBe("flask");
  expect(await tree.read("utf16le")).toBe("flask\r\n");
  expect(await tree.read("utf16be")).toBe("flask");
});
