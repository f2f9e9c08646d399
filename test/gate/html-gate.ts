import { join } from "node:path";
import { type Gate, run, type Verdict } from "./command.ts";

/**
 * No value reaches HTML unescaped. The scan is first shown a page that leaks: a TypeScript it does not understand, or
 * a missing patch of ours, makes it find nothing and exit 0.
 */
export function htmlGate(root: string): Gate {
  const scan = (...files: string[]) =>
    run(
      [
        process.execPath,
        "--bun",
        join(root, "node_modules/.bin/xss-scan"),
        "--project",
        "tsconfig.json",
        ...files,
      ],
      { cwd: root },
    );
  return {
    name: "html",
    check: async (): Promise<Verdict> => {
      const planted = await scan("test/fixtures/gate/leaky.tsx");
      if (planted.code !== 1 || !planted.output.includes("leaky.tsx"))
        return { ok: false, output: `xss-scan is blind; is patches/ applied?\n${planted.output}` };
      const pages = [...new Bun.Glob("{ui,src,buildpacks}/**/*.tsx").scanSync({ cwd: root })].sort();
      const { code, output } = await scan(...pages);
      // 2 = warnings only: an escape too many harms nobody.
      return code === 0 || code === 2 ? { ok: true, note: `${pages.length} files` } : { ok: false, output };
    },
  };
}
