import { expect, test } from "bun:test";
import { findVerb } from "../../src/cli/find-verb.ts";
import { parseArguments } from "../../src/cli/parse-arguments.ts";
import { allVerbs } from "../../src/cli/verbs.ts";
import { shellWord } from "../../ui/components/shell-word.ts";
import { samplePages } from "./sample-views.tsx";

/** Every command that a page offers to copy. */
async function commandsOf(html: string): Promise<string[]> {
  const commands: string[] = [];
  const rewriter = new HTMLRewriter().on("[data-copy]", {
    element(element) {
      const value = element.getAttribute("data-copy") ?? "";
      if (value.startsWith("diplo ")) commands.push(value);
    },
  });
  await rewriter.transform(new Response(html)).text();
  return commands;
}

test("every command on the pages is one that the command line takes", async () => {
  const verbs = allVerbs();
  const all = await Promise.all(
    samplePages.map(({ view, render }) => commandsOf(render(view as never) as string)),
  );
  const commands = [...new Set(all.flat())];
  expect(commands.length).toBeGreaterThan(10);
  for (const command of commands) {
    const { verb, rest } = findVerb(verbs, command.split(" ").slice(1));
    expect(() => parseArguments(rest, verb.flags)).not.toThrow();
  }
});

test("every page shows the command that does the same", async () => {
  for (const { name, view, render } of samplePages) {
    if (["error", "search", "usage"].includes(name)) continue;
    const commands = await commandsOf(render(view as never) as string);
    expect([name, commands.length > 0]).toEqual([name, true]);
  }
});

test("shellWord keeps plain words and quotes everything else", () => {
  expect(shellWord("https://git.example/you/app.git")).toBe("https://git.example/you/app.git");
  expect(shellWord("a; rm -rf ~")).toBe("'a; rm -rf ~'");
  expect(shellWord("it's")).toBe("'it'\\''s'");
  expect(
    Bun.spawnSync(["sh", "-c", `printf %s ${shellWord("$HOME `id` \"x\" 'y'")}`]).stdout.toString(),
  ).toBe("$HOME `id` \"x\" 'y'");
});
