import { expect, test } from "bun:test";
import { memoryTree } from "../../../src/engine/build/memory-tree.ts";
import { neededConfig } from "../../../src/engine/build/needed-config.ts";

test("neededConfig reads .env.example: comments, placeholders, quotes, optional lines, not ours", async () => {
  const text = `# Where the data lies
DATABASE_URL=postgres://localhost/x   # local
SECRET="<make one>"
export NAME='a b'
# OPTIONAL=1
PORT=3000
DIPLO_X=1
1BAD=x

just words
`;
  const config = await neededConfig(memoryTree({ ".env.example": text }));
  expect(
    config.map(({ name, value, required, description }) => [name, value, required, description]),
  ).toEqual([
    ["DATABASE_URL", "postgres://localhost/x", true, "Where the data lies"],
    ["SECRET", null, true, null],
    ["NAME", "a b", true, null],
    ["OPTIONAL", "1", false, null],
  ]);
});

test("neededConfig puts app.json first and names nothing twice", async () => {
  const json = {
    env: {
      SESSION_KEY: { description: "Signs cookies", generator: "secret" },
      MODE: "production",
      MAIL: { required: false, pattern: ".+@.+" },
    },
  };
  const tree = memoryTree({ "app.json": JSON.stringify(json), ".env.sample": "MODE=dev\nEXTRA=1\n" });
  expect((await neededConfig(tree)).map(({ name, from }) => `${name} ${from}`)).toEqual([
    "SESSION_KEY app.json",
    "MODE app.json",
    "MAIL app.json",
    "EXTRA .env.sample",
  ]);
});

test("neededConfig takes broken files for empty ones", async () => {
  for (const text of ["{", "[]", '{"env": []}', '{"env": null}', '"x"']) {
    expect(await neededConfig(memoryTree({ "app.json": text }))).toEqual([]);
  }
});
