/**
 * Everything that must hold before a commit leaves this machine, cheapest first; each gate is tried, whatever the
 * others say. `--no-tests` leaves the unit tests out, for a caller that runs all tests anyway.
 */
import { resolve } from "node:path";
import { type Gate, passes, type Verdict } from "./command.ts";
import { executableGate } from "./executable-gate.ts";
import { htmlGate } from "./html-gate.ts";

const root = resolve(import.meta.dir, "../..");
const bin = (name: string) => `node_modules/.bin/${name}`;
const bun = process.execPath;

/** Tests that share the machine with nobody: no engine, no browser, no installed executable. */
function unitTests(): string[] {
  const all = [...new Bun.Glob("test/**/*.test.{ts,tsx}").scanSync({ cwd: root })];
  return all
    .filter((file) => !/^test\/(integration|browser|install|bench|fixtures)\//.test(file))
    .sort()
    .map((file) => `./${file}`);
}

async function testsPass(): Promise<Verdict> {
  const verdict = await passes([bun, "test", "--parallel=2", ...unitTests()], root);
  // A thousand passes would hide the one line that matters.
  return verdict.ok
    ? verdict
    : { ok: false, output: verdict.output.replace(/^\(pass\).*\n/gm, "").replace(/\n{3,}/g, "\n\n") };
}

const gates: Gate[] = [
  {
    name: "format and rules",
    check: () => passes([bin("biome"), "check", "--diagnostic-level=error", "."], root),
  },
  { name: "types", check: () => passes([bun, bin("tsc"), "--noEmit"], root) },
  htmlGate(root),
  { name: "unit tests", check: testsPass },
  { name: "compile", check: () => passes([bun, "run", "src/compile.ts"], root) },
  executableGate(root),
].filter(({ name }) => name !== "unit tests" || !process.argv.includes("--no-tests"));

async function attempt({ check }: Gate): Promise<Verdict> {
  try {
    return await check();
  } catch (error) {
    return { ok: false, output: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

let closed = 0;
for (const gate of gates) {
  const began = performance.now();
  const verdict = await attempt(gate);
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  if (!verdict.ok) {
    closed++;
    console.log(`\n${verdict.output.trim()}\n`);
  }
  console.log(
    `${verdict.ok ? "ok    " : "FAILED"} ${seconds} s  ${gate.name}${verdict.ok && verdict.note ? `  (${verdict.note})` : ""}`,
  );
}
process.exit(closed === 0 ? 0 : 1);
