import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ignoreRules } from "../../../../src/engine/runtime/docker/ignore-rules.ts";

test("ignoreRules reads the repository's own lines first; what was added has the last word", async () => {
  const root = await mkdtemp(join(tmpdir(), "diplo-ignore-"));
  try {
    expect((await ignoreRules(root, null)).includes("node_modules/x.js")).toBe(true);
    await writeFile(join(root, ".dockerignore"), "# mine\n*.log\n!node_modules\n");
    const rules = await ignoreRules(root, null, ["node_modules", "**/__pycache__"]);
    expect(rules.includes("a.log")).toBe(false);
    expect(rules.includes("node_modules/x.js")).toBe(false);
    expect(rules.includes("lib/__pycache__/x.pyc")).toBe(false);
    expect(rules.includes("lib/x.py")).toBe(true);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
